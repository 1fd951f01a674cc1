/**
 * The server's log: pino, written as text for people. Lives on the main thread; workers send their lines there.
 */
import { pino } from 'pino'
import { formatLogLine } from './log-line.ts'

export type LogLevel = 'error' | 'warn' | 'info' | 'debug'

/** Printed as `message: key="value" …`. Never put a secret in here. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>

export interface Log {
  readonly error: (message: string, fields?: LogFields) => void
  readonly warn: (message: string, fields?: LogFields) => void
  readonly info: (message: string, fields?: LogFields) => void
  readonly debug: (message: string, fields?: LogFields) => void
  readonly isEnabled: (level: LogLevel) => boolean
  /** Lines below this level are left out from now on. */
  readonly setLevel: (level: LogLevel) => void
}

interface LogOptions {
  readonly level: LogLevel
  /** Where lines go, each with its line end. */
  readonly write: (line: string) => void
}

export function createLog(options: LogOptions): Log {
  const logger = pino(
    {
      level: options.level,
      base: null,
      // Policies choose the keys: below one key of our own they cannot collide with pino's.
      nestedKey: 'fields',
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (json: string) => options.write(formatLogLine(json)) },
  )
  const at =
    (level: LogLevel) =>
    (message: string, fields: LogFields = {}): void =>
      logger[level](fields, message)
  return {
    error: at('error'),
    warn: at('warn'),
    info: at('info'),
    debug: at('debug'),
    isEnabled: (level) => logger.isLevelEnabled(level),
    setLevel(level) {
      logger.level = level
    },
  }
}
