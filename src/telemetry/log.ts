/**
 * The server's log: pino, whose lines go through every destination's own layout. Lives on the main thread; workers send
 * their lines there.
 */
import { pino } from 'pino'
import { redactFields, redactText } from './redact.ts'
import { RepeatedLines } from './repeated-lines.ts'

export type LogLevel = 'error' | 'warn' | 'info' | 'debug'

/** Printed as `message: key="value" …`. Never put a secret in here. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>

/** Warnings and errors that repeat themselves are counted instead: one line for each minute. */
export interface Log {
  readonly error: (message: string, fields?: LogFields) => void
  readonly warn: (message: string, fields?: LogFields) => void
  readonly info: (message: string, fields?: LogFields) => void
  readonly debug: (message: string, fields?: LogFields) => void
  /** A line that somebody asked for, such as Lua code: it is written, however often it comes. */
  readonly verbatim: (level: LogLevel, message: string, fields: LogFields) => void
  readonly isEnabled: (level: LogLevel) => boolean
  /** Lines below this level are left out from now on. */
  readonly setLevel: (level: LogLevel) => void
}

/** Takes each line as pino's JSON, with its line end, and lays it out. */
export type LogDestination = (json: string, level: LogLevel) => void

interface LogSetup {
  readonly level: LogLevel
  readonly destinations: readonly LogDestination[]
  /** Unix milliseconds. */
  readonly now: () => number
}

const NO_FIELDS: LogFields = {}

/** @returns the log, and how to write what is still held back of repeated lines. */
export function createLog({ level: startLevel, destinations, now }: LogSetup): {
  log: Log
  finish: () => void
} {
  let currentLevel = startLevel
  const logger = pino(
    {
      level: startLevel,
      base: null,
      // Policies choose the keys: below one key of our own they cannot collide with pino's.
      nestedKey: 'fields',
      formatters: { level: (label) => ({ level: label }) },
      timestamp: pino.stdTimeFunctions.isoTime,
    },
    {
      write(json: string) {
        for (const write of destinations) write(json, currentLevel)
      },
    },
  )
  const verbatim = (level: LogLevel, message: string, fields: LogFields): void => {
    if (!logger.isLevelEnabled(level)) return
    // pino writes within the call, and hands over the text alone.
    currentLevel = level
    logger[level](redactFields(fields), redactText(message))
  }
  const repeated = new RepeatedLines(verbatim, now)
  const log: Log = {
    error: (message, fields = NO_FIELDS) => repeated.take('error', message, fields),
    warn(message, fields = NO_FIELDS) {
      if (logger.isLevelEnabled('warn')) repeated.take('warn', message, fields)
    },
    info: (message, fields = NO_FIELDS) => verbatim('info', message, fields),
    debug: (message, fields = NO_FIELDS) => verbatim('debug', message, fields),
    verbatim,
    isEnabled: (level) => logger.isLevelEnabled(level),
    setLevel(level) {
      logger.level = level
    },
  }
  return { log, finish: () => repeated.close() }
}
