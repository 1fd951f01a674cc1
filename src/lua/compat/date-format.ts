/**
 * C's strftime for os.date, in the C locale. Pure.
 */

const WEEKDAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'] as const
const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
] as const
const DAY_MS = 86_400_000

/** A moment's parts in one time zone. */
export interface DateParts {
  readonly year: number
  /** 1 to 12 */
  readonly month: number
  readonly day: number
  readonly hour: number
  readonly minute: number
  readonly second: number
  /** 0 is Sunday. */
  readonly weekday: number
  /** 1 to 366 */
  readonly yearDay: number
  readonly isSummerTime: boolean
  /** Minutes east of UTC. */
  readonly offsetMinutes: number
  readonly unixSeconds: number
}

/** Parts in UTC, or in the server's time zone. */
export function datePartsOf(unixSeconds: number, isUtc: boolean): DateParts {
  const date = new Date(unixSeconds * 1000)
  // A date whose UTC fields are the local ones spares a second set of getters.
  const offsetMinutes = isUtc ? 0 : -date.getTimezoneOffset()
  const shifted = new Date(date.getTime() + offsetMinutes * 60_000)
  const year = shifted.getUTCFullYear()
  const yearStart = Date.UTC(year, 0, 1)
  return {
    year,
    month: shifted.getUTCMonth() + 1,
    day: shifted.getUTCDate(),
    hour: shifted.getUTCHours(),
    minute: shifted.getUTCMinutes(),
    second: shifted.getUTCSeconds(),
    weekday: shifted.getUTCDay(),
    yearDay: Math.floor((shifted.getTime() - yearStart) / DAY_MS) + 1,
    isSummerTime: !isUtc && offsetMinutes !== standardOffsetMinutes(date.getFullYear()),
    offsetMinutes,
    unixSeconds,
  }
}

/** The smaller of the offsets in January and July: summer time is ahead on either hemisphere. */
function standardOffsetMinutes(year: number): number {
  return Math.min(-new Date(year, 0, 1).getTimezoneOffset(), -new Date(year, 6, 1).getTimezoneOffset())
}

/** The formatted text; undefined names a conversion that strftime does not know. */
export function formatDate(format: string, parts: DateParts): string | undefined {
  let isKnown = true
  const text = format.replaceAll(/%[EO]?([\s\S]?)/g, (whole, conversion: string) => {
    const replacement = convert(conversion, parts)
    if (replacement === undefined) isKnown = false
    return replacement ?? whole
  })
  return isKnown ? text : undefined
}

function convert(conversion: string, parts: DateParts): string | undefined {
  const direct = SIMPLE[conversion]
  if (direct !== undefined) return direct(parts)
  const composed = COMPOSED[conversion]
  return composed === undefined ? undefined : formatDate(composed, parts)
}

const COMPOSED: Readonly<Record<string, string>> = {
  c: '%a %b %e %H:%M:%S %Y',
  D: '%m/%d/%y',
  F: '%Y-%m-%d',
  r: '%I:%M:%S %p',
  R: '%H:%M',
  T: '%H:%M:%S',
  x: '%m/%d/%y',
  X: '%H:%M:%S',
}

const SIMPLE: Readonly<Record<string, (parts: DateParts) => string>> = {
  '%': () => '%',
  n: () => '\n',
  t: () => '\t',
  a: ({ weekday }) => (WEEKDAYS[weekday] ?? '').slice(0, 3),
  A: ({ weekday }) => WEEKDAYS[weekday] ?? '',
  b: ({ month }) => (MONTHS[month - 1] ?? '').slice(0, 3),
  B: ({ month }) => MONTHS[month - 1] ?? '',
  h: ({ month }) => (MONTHS[month - 1] ?? '').slice(0, 3),
  C: ({ year }) => twoDigits(Math.floor(year / 100)),
  d: ({ day }) => twoDigits(day),
  e: ({ day }) => String(day).padStart(2),
  g: (parts) => twoDigits(isoWeek(parts).year % 100),
  G: (parts) => String(isoWeek(parts).year),
  H: ({ hour }) => twoDigits(hour),
  I: ({ hour }) => twoDigits(hour % 12 === 0 ? 12 : hour % 12),
  j: ({ yearDay }) => String(yearDay).padStart(3, '0'),
  m: ({ month }) => twoDigits(month),
  M: ({ minute }) => twoDigits(minute),
  p: ({ hour }) => (hour < 12 ? 'AM' : 'PM'),
  s: ({ unixSeconds }) => String(unixSeconds),
  S: ({ second }) => twoDigits(second),
  u: ({ weekday }) => String(weekday === 0 ? 7 : weekday),
  U: ({ yearDay, weekday }) => twoDigits(Math.floor((yearDay + 6 - weekday) / 7)),
  V: (parts) => twoDigits(isoWeek(parts).week),
  w: ({ weekday }) => String(weekday),
  W: ({ yearDay, weekday }) => twoDigits(Math.floor((yearDay + 6 - ((weekday + 6) % 7)) / 7)),
  y: ({ year }) => twoDigits(year % 100),
  Y: ({ year }) => String(year),
  z: ({ offsetMinutes }) => {
    const minutes = Math.abs(offsetMinutes)
    return `${offsetMinutes < 0 ? '-' : '+'}${twoDigits(Math.floor(minutes / 60))}${twoDigits(minutes % 60)}`
  },
  Z: ({ offsetMinutes }) => (offsetMinutes === 0 ? 'GMT' : ''),
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0')
}

/** ISO 8601: a week belongs to the year that has its Thursday. */
function isoWeek({ year, month, day, weekday }: DateParts): { readonly year: number; readonly week: number } {
  const thursday = new Date(Date.UTC(year, month - 1, day + 4 - (weekday === 0 ? 7 : weekday)))
  const thursdayYear = thursday.getUTCFullYear()
  return {
    year: thursdayYear,
    week: Math.floor((thursday.getTime() - Date.UTC(thursdayYear, 0, 1)) / DAY_MS / 7) + 1,
  }
}
