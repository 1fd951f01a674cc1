/**
 * Silences and maintenance windows: for a time, the alerts that they are about are not notified. Pure; main thread, but
 * for the types, which cross threads.
 */
import type { CronPattern } from '../schedule/cron.ts'
import { createMatcher, type AlertFacts, type AlertMatcher, type AlertPattern } from './alert-matcher.ts'

/** What an operator asks for. */
export interface NewSilence extends AlertPattern {
  readonly author: string
  readonly comment: string
  readonly fromMs: number
  /** Exclusive. */
  readonly untilMs: number
}

export interface Silence extends NewSilence {
  /** `s` and a number for one made at run time, `c` and a number for one of the configuration. */
  readonly id: string
}

export interface MaintenanceWindow extends AlertPattern {
  /** `m` and a number. */
  readonly id: string
  /** When it begins, in the server's local time. */
  readonly cron: CronPattern
  readonly durationMs: number
  readonly comment: string
}

/** Silences that are kept at once: each alert is compared with each. */
export const MAX_SILENCES = 1000

/** A part of time that keeps alerts from being notified. */
interface Mute {
  readonly id: string
  readonly matches: AlertMatcher
  /** Whether it is in force, and until when that stays so; Infinity for ever. */
  readonly at: (nowMs: number) => { readonly isActive: boolean; readonly untilMs: number }
}

/** All silences and windows, asked together. */
export class Mutes {
  readonly #mutes: readonly Mute[]
  #active: readonly Mute[] = []
  #changesAtMs = -Infinity

  constructor(silences: readonly Silence[], windows: readonly MaintenanceWindow[]) {
    this.#mutes = [...silences.map(muteOfSilence), ...windows.map(muteOfWindow)]
  }

  /** When the next of them begins or ends, as of the last `advance`; Infinity when none will. */
  get changesAtMs(): number {
    return this.#changesAtMs
  }

  get activeCount(): number {
    return this.#active.length
  }

  /** Brings it to this time. @returns true when it may answer otherwise than before. */
  advance(nowMs: number): boolean {
    if (nowMs < this.#changesAtMs) return false
    const states = this.#mutes.map((mute) => ({ mute, ...mute.at(nowMs) }))
    this.#active = states.filter(({ isActive }) => isActive).map(({ mute }) => mute)
    this.#changesAtMs = Math.min(Infinity, ...states.map(({ untilMs }) => untilMs))
    return true
  }

  /** Id of what silences this alert, as of the last `advance`. */
  silencing(facts: AlertFacts): string | undefined {
    return this.#active.find((mute) => mute.matches(facts))?.id
  }
}

function muteOfSilence(silence: Silence): Mute {
  const { id, fromMs, untilMs } = silence
  return {
    id,
    matches: createMatcher(silence),
    at(nowMs) {
      if (nowMs < fromMs) return { isActive: false, untilMs: fromMs }
      return nowMs < untilMs ? { isActive: true, untilMs } : { isActive: false, untilMs: Infinity }
    },
  }
}

function muteOfWindow(window: MaintenanceWindow): Mute {
  const { id, cron, durationMs } = window
  return {
    id,
    matches: createMatcher(window),
    at(nowMs) {
      // The first beginning that is not over: windows of one pattern may overlap.
      const startMs = cron.next(nowMs - durationMs) ?? Infinity
      return startMs <= nowMs
        ? { isActive: true, untilMs: startMs + durationMs }
        : { isActive: false, untilMs: startMs }
    },
  }
}
