/**
 * Sends lines to the syslog of this machine. Lives on the main thread.
 *
 * Node has no datagram sockets of the Unix domain, so the program logger(1) carries the lines: one process, kept as long
 * as the server. When it fails it is started again after a while; lines that come meanwhile are counted as dropped.
 */
import { spawn, type ChildProcessByStdio } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import { LineWriter } from './line-writer.ts'
import { syslogPriority, type LogFacility } from './log-options.ts'
import type { LogLevel } from './log.ts'

interface SyslogProgramOptions {
  readonly facility: LogFacility
  /** Of the server, to stand in each line. */
  readonly pid: number
  /** PATH says where the program is. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Says why syslog gets nothing: at the first failure, and again after one that came later than a success. */
  readonly onFailure: (reason: string) => void
  /** Before it is started again. */
  readonly restartAfterMs?: number
}

type Logger = ChildProcessByStdio<Writable, null, Readable>

/** Longer lines are cut by syslog servers, or by logger itself. */
const MAX_MESSAGE_BYTES = 8192
const RESTART_AFTER_MS = 10_000
/** One that has run this long was well, and what happens to it now is news. */
const WELL_AFTER_MS = 60_000
const MAX_REASON = 500

export class SyslogProgram {
  readonly #options: SyslogProgramOptions
  #logger: Logger | undefined = undefined
  #writer: LineWriter | undefined = undefined
  #restart: NodeJS.Timeout | undefined = undefined
  /** By processes that are gone, and while there was none. */
  #dropped = 0
  #hasSaid = false
  #isClosing = false

  constructor(options: SyslogProgramOptions) {
    this.#options = options
    this.#start()
  }

  /** Lines dropped since the start. */
  get dropped(): number {
    return this.#dropped + (this.#writer?.dropped ?? 0)
  }

  /** @param text - a line with its end, without time and severity, which syslog has itself. */
  write(level: LogLevel, text: string): void {
    if (this.#writer === undefined) this.#dropped += 1
    else this.#writer.write(`<${syslogPriority(this.#options.facility, level)}>${text}`)
  }

  /** Hands over to the program what has come so far in this turn. */
  flush(): void {
    this.#writer?.flush()
  }

  /** Lets the program send what it has been given. */
  async close(deadlineMs: number): Promise<void> {
    this.#isClosing = true
    clearTimeout(this.#restart)
    const logger = this.#logger
    if (logger === undefined) return
    this.#writer?.flush()
    logger.stdin.end()
    const ended = Promise.withResolvers<void>()
    logger.once('close', () => ended.resolve())
    const timer = setTimeout(() => logger.kill('SIGKILL'), deadlineMs)
    await ended.promise
    clearTimeout(timer)
  }

  #start(): void {
    const { facility, pid, environment } = this.#options
    const logger = spawn(
      'logger',
      [
        '--prio-prefix',
        '--socket-errors=on',
        `--priority=${facility}.info`,
        '--tag=trackalert',
        `--id=${pid}`,
        `--size=${MAX_MESSAGE_BYTES}`,
      ],
      // A group of its own: Ctrl-C in the terminal must not end it before the server's last lines.
      { stdio: ['pipe', 'ignore', 'pipe'], detached: true, env: { ...environment } },
    )
    this.#logger = logger
    this.#writer = new LineWriter({
      stream: logger.stdin,
      dropNotice: (lines) =>
        `<${syslogPriority(facility, 'warn')}>${lines} lines of the log were dropped here\n`,
    })
    let reason = ''
    logger.stderr.setEncoding('utf8')
    logger.stderr.on('data', (text: string) => {
      reason = `${reason}${text}`.slice(0, MAX_REASON)
    })
    // The end of the process says what there is to say.
    logger.stdin.on('error', () => undefined)
    logger.once('error', (error) => this.#failed(logger, error.message))
    const well = setTimeout(() => (this.#hasSaid = false), WELL_AFTER_MS)
    well.unref()
    logger.once('close', (code, signal) => {
      clearTimeout(well)
      this.#failed(logger, reason.trim() || `logger ended with ${signal ?? `status ${code}`}`)
    })
  }

  #failed(logger: Logger, reason: string): void {
    if (this.#logger !== logger) return
    this.#dropped += this.#writer?.dropped ?? 0
    this.#logger = undefined
    this.#writer = undefined
    if (this.#isClosing) return
    this.#restart = setTimeout(() => this.#start(), this.#options.restartAfterMs ?? RESTART_AFTER_MS)
    this.#restart.unref()
    if (!this.#hasSaid) this.#options.onFailure(reason)
    this.#hasSaid = true
  }
}
