/** Short ways to raise alerts and to name what comes of them. */
import type { AlertEffect, RaiseEffect } from '../../src/alerts/alert.ts'
import { done } from './store-suite.ts'
import { START_MS } from './store-reports.ts'
import type { Outcome } from '../../src/store/store.ts'

export const HOUR_MS = 3_600_000
export const DAY_MS = 24 * HOUR_MS

export function raise(fields: Partial<RaiseEffect> = {}): RaiseEffect {
  return {
    kind: 'raise',
    rule: 'spray',
    key: '192.0.2.1',
    severity: 'medium',
    message: 'many users from one address',
    user: '',
    atMs: START_MS,
    dedupMs: HOUR_MS,
    resolveAfterMs: DAY_MS,
    ...fields,
  }
}

/** The end of a run of a background function that did this to alerts. */
export function raising(...alerts: readonly AlertEffect[]): Outcome {
  return done(undefined, [], { alerts })
}
