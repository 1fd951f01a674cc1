/**
 * What lines of the console ask the main thread about the server, and its answers. Types; answer-question.ts answers. The
 * asking side is policy/question-channel.ts, on the configuration thread. Every answer has the kind of its question, or says
 * why there is none. What is asked of the store stands in policy/store-questions.ts.
 */

import type { SinkStatus, WebHookCounters } from '../delivery/delivery.ts'

/** Questions about the server. */
export type ServerQuestion =
  | { readonly kind: 'report-count' }
  /** Of the last five minutes. */
  | { readonly kind: 'counts'; readonly of: 'performance' | 'commands' | 'custom' }
  | { readonly kind: 'acl' }
  /** All of these in place of the netmasks in force, or on top of them. */
  | { readonly kind: 'change-acl'; readonly mode: 'replace' | 'add'; readonly netmasks: readonly string[] }
  | { readonly kind: 'web-hooks' }
  | { readonly kind: 'alert-sinks' }
  | { readonly kind: 'endpoints' }
  | { readonly kind: 'workers' }
  | { readonly kind: 'settings' }
  | { readonly kind: 'version' }
  | { readonly kind: 'reload-geoip' }
  | { readonly kind: 'reload-configuration' }
  /** As syslog counts: 0 emergencies to 7 debugging. */
  | { readonly kind: 'set-log-level'; readonly level: number }

export interface WorkerState {
  readonly state: string
  /** Runs in the thread. */
  readonly running: number
  /** Runs that wait for it. */
  readonly waiting: number
}

/** One line of showConfig(). */
export interface ShownSetting {
  readonly name: string
  readonly value: string
  /** Empty for what is no number. */
  readonly unit: string
  readonly isDefault: boolean
}

/** How an action of the server ended, in a sentence. */
export interface ActionResult {
  readonly ok: boolean
  readonly text: string
}

export type ServerAnswer =
  | { readonly kind: 'report-count'; readonly reports: number }
  | { readonly kind: 'counts'; readonly counts: Readonly<Record<string, number>> }
  | { readonly kind: 'acl'; readonly netmasks: readonly string[] }
  | { readonly kind: 'change-acl' }
  | { readonly kind: 'web-hooks'; readonly hooks: readonly WebHookCounters[]; readonly waiting: number }
  | { readonly kind: 'alert-sinks'; readonly sinks: readonly SinkStatus[] }
  | { readonly kind: 'endpoints'; readonly names: readonly string[] }
  | { readonly kind: 'workers'; readonly workers: readonly WorkerState[] }
  | { readonly kind: 'settings'; readonly settings: readonly ShownSetting[] }
  | { readonly kind: 'version'; readonly version: string }
  | ({ readonly kind: 'reload-geoip' } & ActionResult)
  | ({ readonly kind: 'reload-configuration' } & ActionResult)
  | { readonly kind: 'set-log-level' }
  | { readonly kind: 'failed'; readonly message: string }
