/**
 * Lines that Lua code writes to the log, on their way to the main thread: those of runs that are handed over together leave
 * together, since a message for each line costs both threads as much as writing it. Lives on a policy worker; `unpackLines`
 * on the main thread.
 *
 * A line waits no longer than the result of its run, and a run that is alone in the thread waits for nobody: its lines leave
 * at once. Should it end the thread, they say how far it came; of several runs nobody knows which did it, and they run again
 * one at a time.
 */
import type { LogFields, LogLevel } from '../telemetry/log.ts'

export interface LuaLogLine {
  readonly level: LogLevel
  readonly message: string
  readonly fields: LogFields
}

/** A run that writes without end must not fill the memory. */
const MOST_LINES = 256

export class LogLines {
  readonly #send: (lines: string) => void
  #lines: LuaLogLine[] = []
  #gathers = false

  /** @param send - given lines for `unpackLines` */
  constructor(send: (lines: string) => void) {
    this.#send = send
  }

  add(line: LuaLogLine): void {
    this.#lines.push(line)
    if (!this.#gathers || this.#lines.length >= MOST_LINES) this.flush()
  }

  /** Lines wait for `flush`, or until `start` has returned. */
  whileGathering(start: () => void): void {
    this.#gathers = true
    try {
      start()
    } finally {
      this.#gathers = false
      this.flush()
    }
  }

  flush(): void {
    if (this.#lines.length === 0) return
    const lines = this.#lines
    this.#lines = []
    this.#send(JSON.stringify(lines))
  }
}

export function unpackLines(lines: string): readonly LuaLogLine[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- LogLines wrote this text
  return JSON.parse(lines) as readonly LuaLogLine[]
}
