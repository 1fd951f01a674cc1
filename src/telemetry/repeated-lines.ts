/**
 * Keeps a fault that goes on from filling the log: a warning or an error is written at once the first time, and what
 * comes again within a minute is counted and said in one line at the minute's end. Lives on the main thread.
 */
import type { LogFields, LogLevel } from './log.ts'

type Write = (level: LogLevel, message: string, fields: LogFields) => void

interface Repeated {
  readonly level: LogLevel
  readonly message: string
  /** Those of the last line, which say most about how it is now. */
  fields: LogFields
  count: number
  readonly endsAtMs: number
}

const WINDOW_MS = 60_000
/** What differs beyond these is told apart by level and message alone. */
const MAX_KINDS = 200
/** Fields that say whom it met this time, not what it is; neither do numbers. */
const INCIDENTAL_FIELDS: ReadonlySet<string> = new Set([
  'delivery',
  'login',
  'peer',
  'remote',
  'traceback',
  'stack',
])

export class RepeatedLines {
  readonly #write: Write
  readonly #now: () => number
  readonly #kinds = new Map<string, Repeated>()
  #timer: NodeJS.Timeout | undefined = undefined

  /** @param now Unix milliseconds. */
  constructor(write: Write, now: () => number) {
    this.#write = write
    this.#now = now
  }

  /** Writes the line, or counts it. */
  take(level: 'error' | 'warn', message: string, fields: LogFields): void {
    this.#writeEnded(this.#now())
    const key = this.#keyOf(level, message, fields)
    const known = this.#kinds.get(key)
    if (known !== undefined) {
      known.count += 1
      known.fields = fields
      return
    }
    this.#kinds.set(key, { level, message, fields, count: 0, endsAtMs: this.#now() + WINDOW_MS })
    this.#write(level, message, fields)
    this.#setTimer()
  }

  /** Says what is still unsaid. */
  close(): void {
    clearTimeout(this.#timer)
    this.#writeEnded(Infinity)
  }

  #keyOf(level: LogLevel, message: string, fields: LogFields): string {
    const telling = Object.entries(fields).filter(
      ([name, value]) => typeof value !== 'number' && !INCIDENTAL_FIELDS.has(name),
    )
    const key = JSON.stringify([level, message, ...telling])
    // At most one more for each message of the program: messages are constants, fields may come from outside.
    return this.#kinds.has(key) || this.#kinds.size < MAX_KINDS ? key : JSON.stringify([level, message])
  }

  /** Windows end in the order in which they began, which is that of the map. */
  #writeEnded(nowMs: number): void {
    for (const [key, kind] of this.#kinds) {
      if (kind.endsAtMs > nowMs) return
      this.#kinds.delete(key)
      if (kind.count === 0) continue
      this.#write(
        kind.level,
        `${kind.message} (repeated ${kind.count} times in ${WINDOW_MS / 1000} s)`,
        kind.fields,
      )
    }
  }

  #setTimer(): void {
    if (this.#timer !== undefined) return
    const [first] = this.#kinds.values()
    if (first === undefined) return
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined
        this.#writeEnded(this.#now())
        this.#setTimer()
      },
      Math.max(1, first.endsAtMs - this.#now()),
    )
    // A fault that nobody writes any more is said at the stop.
    this.#timer.unref()
  }
}
