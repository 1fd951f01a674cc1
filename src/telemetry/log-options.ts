/**
 * How the log is to be written, as the command line says it. Pure.
 */
import type { LogLevel } from './log.ts'

export const LOG_FORMATS = ['text', 'json'] as const
export type LogFormat = (typeof LOG_FORMATS)[number]

/** Names of syslog's facilities, RFC 5424 section 6.2.1 in the spelling of syslog(3). */
export const LOG_FACILITIES = [
  'kern',
  'user',
  'mail',
  'daemon',
  'auth',
  'syslog',
  'lpr',
  'news',
  'uucp',
  'cron',
  'authpriv',
  'ftp',
  'local0',
  'local1',
  'local2',
  'local3',
  'local4',
  'local5',
  'local6',
  'local7',
] as const
export type LogFacility = (typeof LOG_FACILITIES)[number]

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
