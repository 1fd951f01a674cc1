/**
 * Where the log goes and how it looks there: to standard output, which may be a terminal, the journal, a file or a pipe, and
 * to syslog. Lives on the main thread.
 */
import type { Writable } from 'node:stream'
import { formatJsonLine, formatLogLine, type LineLayout } from './log-line.ts'
import { LineWriter } from './line-writer.ts'
import { createLog, type Log, type LogDestination, type LogLevel } from './log.ts'
import { severityOf, type LogOptions } from './log-options.ts'
import { SyslogProgram } from './syslog-program.ts'

export interface LogOutput {
  readonly stream: Writable & { readonly isTTY?: boolean }
  /** Standard output is the journal of systemd, which has a time and a severity for each line. */
  readonly isJournal: boolean
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly pid: number
}

export interface ServerLog {
  readonly log: Log
  /** Lines go there from now on and no more to standard output: a console has the terminal. */
  readonly divert: (print: (line: string) => void) => void
  /** Lines dropped since the start, by where they were to go. */
  readonly dropped: () => { readonly output: number; readonly syslog: number }
  /** Hands over what this turn has brought: for the very end, when nothing can wait any more. */
  readonly flush: () => void
  /** Says what is still unsaid, and waits until all is written or the time is over. */
  readonly close: (deadlineMs: number) => Promise<void>
}

type Format = (json: string, level: LogLevel) => string

export function createServerLog(options: LogOptions, output: LogOutput): ServerLog {
  const format = outputFormat(options, output)
  const writer = new LineWriter({
    stream: output.stream,
    dropNotice: (lines) => format(dropLine(lines), 'warn'),
  })
  let print = (line: string): void => writer.write(line)
  let syslog: SyslogProgram | undefined
  const destinations: LogDestination[] = []
  // The journal is one and the same whether it gets a line here or as syslog.
  if (options.facility === undefined || !output.isJournal) {
    destinations.push((json, level) => print(format(json, level)))
  }
  if (options.facility !== undefined) {
    const syslogFormat = plainFormat(options, { time: 'none', hasColours: false })
    destinations.push((json, level) => syslog?.write(level, syslogFormat(json, level)))
  }
  const { log, finish } = createLog({ level: options.level, destinations, now: Date.now })
  if (options.facility !== undefined) {
    syslog = new SyslogProgram({
      ...output,
      facility: options.facility,
      onFailure(reason) {
        log.warn(SYSLOG_FAILURE, { reason })
        // Otherwise nobody would see it.
        if (output.isJournal) writer.write(`<4>warn  ${SYSLOG_FAILURE}: reason=${JSON.stringify(reason)}\n`)
      },
    })
  }
  return {
    log,
    divert(to) {
      writer.flush()
      print = to
    },
    dropped: () => ({ output: writer.dropped, syslog: syslog?.dropped ?? 0 }),
    flush() {
      writer.flush()
      syslog?.flush()
    },
    async close(deadlineMs) {
      finish()
      await Promise.all([writer.drain(deadlineMs), syslog?.close(deadlineMs)])
    },
  }
}

const SYSLOG_FAILURE = 'the log cannot be sent to syslog; it is tried again'

function dropLine(lines: number): string {
  const msg = 'lines of the log were dropped: whoever reads it is too slow'
  return JSON.stringify({ level: 'warn', time: new Date().toISOString(), fields: { lines }, msg })
}

function outputFormat(options: LogOptions, { stream, isJournal, environment }: LogOutput): Format {
  const hasColours = stream.isTTY === true && (environment['NO_COLOR'] ?? '') === ''
  const plain = plainFormat(options, { time: isJournal ? 'none' : 'utc', hasColours })
  // The journal takes the severity from there, and the number off.
  return isJournal ? (json, level) => `<${severityOf(level)}>${plain(json, level)}` : plain
}

/** @param layout - what the line has where the options say nothing else. */
function plainFormat({ format, timestamps }: LogOptions, layout: LineLayout): Format {
  if (format === 'json') return formatJsonLine
  const own: LineLayout = timestamps ? { ...layout, time: 'docker' } : layout
  return (json) => formatLogLine(json, own)
}
