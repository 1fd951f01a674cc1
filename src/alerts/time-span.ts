/**
 * Times as operators write them for alerts. Pure.
 */

const SPAN = /^(\d{1,9}(?:\.\d{1,3})?)\s*(s|m|h|d|w)$/
const UNIT_MS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const
const DATE = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?(?:Z|[+-]\d\d:\d\d)?)?$/

export const SPAN_HINT = 'seconds, or a number with s, m, h, d or w such as "30s", "5m", "4h"'
export const TIME_HINT = 'Unix seconds, or a date such as "2026-12-24" or "2026-12-24 18:00"'

/** Milliseconds of `90s`, `5m`, `4h`, `2d`, `1w`; undefined when it is written otherwise. */
export function parseTimeSpan(text: string): number | undefined {
  const [, number, unit] = SPAN.exec(text.trim()) ?? []
  if (number === undefined || unit === undefined || !isUnit(unit)) return undefined
  return Number(number) * UNIT_MS[unit]
}

/** Unix milliseconds of a date, with or without a time, in the server's zone unless it names one. */
export function parseDate(text: string): number | undefined {
  const trimmed = text.trim()
  if (!DATE.test(trimmed)) return undefined
  const whole = trimmed.length === 10 ? `${trimmed}T00:00` : trimmed.replace(' ', 'T')
  const atMs = new Date(whole).getTime()
  return Number.isNaN(atMs) ? undefined : atMs
}

function isUnit(unit: string): unit is keyof typeof UNIT_MS {
  return Object.hasOwn(UNIT_MS, unit)
}
