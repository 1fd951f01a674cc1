/**
 * How the log is to be written, as the command line says it. Pure.
 */
import { FACILITY_NUMBERS, type SyslogFacility } from '../outgoing/syslog-facilities.ts'
import type { LogLevel } from './log.ts'

export const LOG_FORMATS = ['text', 'json'] as const
export type LogFormat = (typeof LOG_FORMATS)[number]

export interface LogOptions {
  readonly level: LogLevel
  readonly format: LogFormat
  /** undefined: lines go to standard output alone. */
  readonly facility: SyslogFacility | undefined
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
export function syslogPriority(facility: SyslogFacility, level: LogLevel): number {
  return FACILITY_NUMBERS[facility] * 8 + severityOf(level)
}
