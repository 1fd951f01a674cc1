/**
 * How the log is to be written, as the command line says it. Pure.
 */
import type { LogLevel } from './log.ts'

export const LOG_FORMATS = ['text', 'json'] as const
export type LogFormat = (typeof LOG_FORMATS)[number]

/** Numbers of syslog's facilities, RFC 5424 section 6.2.1, by their names in the spelling of syslog(3). */
const FACILITY_NUMBERS = {
  kern: 0,
  user: 1,
  mail: 2,
  daemon: 3,
  auth: 4,
  syslog: 5,
  lpr: 6,
  news: 7,
  uucp: 8,
  cron: 9,
  authpriv: 10,
  ftp: 11,
  local0: 16,
  local1: 17,
  local2: 18,
  local3: 19,
  local4: 20,
  local5: 21,
  local6: 22,
  local7: 23,
} as const
export type LogFacility = keyof typeof FACILITY_NUMBERS
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the keys are written above
export const LOG_FACILITIES = Object.keys(FACILITY_NUMBERS) as readonly LogFacility[]

export interface LogOptions {
  readonly level: LogLevel
  readonly format: LogFormat
  /** undefined: lines go to standard output alone. */
  readonly facility: LogFacility | undefined
  /** True: every line begins with its time, whatever takes it; false: where it goes decides. */
  readonly timestamps: boolean
}

/** The level that shows a severity of syslog, 0 (emergency) to 7 (debug), and all that are worse. */
export function levelOfSeverity(severity: number): LogLevel {
  if (severity <= 3) return 'error'
  if (severity === 4) return 'warn'
  return severity <= 6 ? 'info' : 'debug'
}

const SEVERITIES = { error: 3, warn: 4, info: 6, debug: 7 } as const satisfies Record<LogLevel, number>

/** The severity under which syslog and the journal get a line of this level. */
export function severityOf(level: LogLevel): number {
  return SEVERITIES[level]
}

/** What syslog writes in front of a message: facility and severity in one number. */
export function syslogPriority(facility: LogFacility, level: LogLevel): number {
  return FACILITY_NUMBERS[facility] * 8 + severityOf(level)
}
