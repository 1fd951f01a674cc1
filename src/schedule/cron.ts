/**
 * Cron patterns of five fields (minute, hour, day of month, month, day of week) in the server's local time, with
 * ranges, lists and steps. Pure but for the clock that it is given.
 */
import { Cron } from 'croner'
import { messageOf } from '../errors.ts'

/** A pattern that can say when it is due next. */
export interface CronPattern {
  /** The first due time after `afterMs` (Unix milliseconds), undefined if there is none, as for 30 February. */
  readonly next: (afterMs: number) => number | undefined
}

export type ParsedCron =
  { readonly ok: true; readonly pattern: CronPattern } | { readonly ok: false; readonly reason: string }

/** Reads a pattern of exactly five fields. */
export function parseCron(text: string): ParsedCron {
  const fields = text.trim().split(/\s+/)
  if (fields.length !== 5) {
    return {
      ok: false,
      reason: `${JSON.stringify(text)} has ${fields.length} fields; a cron pattern has five: minute hour day month weekday`,
    }
  }
  try {
    const cron = new Cron(fields.join(' '), { paused: true, mode: '5-part' })
    return { ok: true, pattern: { next: (afterMs) => cron.nextRun(new Date(afterMs))?.getTime() } }
  } catch (error) {
    return { ok: false, reason: `${JSON.stringify(text)} is no cron pattern: ${messageOf(error)}` }
  }
}
