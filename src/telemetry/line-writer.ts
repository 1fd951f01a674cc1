/**
 * Writes lines to a stream whose reader may be slow: what a turn of the event loop brings leaves in one write, what is not
 * taken waits in bounded memory, and what does not fit is dropped and counted. Lives on the main thread.
 */
import type { Writable } from 'node:stream'

interface LineWriterOptions {
  readonly stream: Writable
  /** A line, with its end, that says how many were dropped; written when there is room again. */
  readonly dropNotice: (lines: number) => string
  /** Characters that wait; lines beyond are dropped. */
  readonly maxWaiting?: number
}

/** Ten thousand lines. */
const MAX_WAITING = 1024 * 1024
/** Lines of one turn leave at this size even within the turn. */
const BATCH_SIZE = 64 * 1024

export class LineWriter {
  readonly #stream: Writable
  readonly #dropNotice: (lines: number) => string
  readonly #maxWaiting: number
  #batch = ''
  #flushing: NodeJS.Immediate | undefined = undefined
  #dropped = 0
  /** Of these, those that the log does not say yet. */
  #unsaid = 0

  constructor({ stream, dropNotice, maxWaiting = MAX_WAITING }: LineWriterOptions) {
    this.#stream = stream
    this.#dropNotice = dropNotice
    this.#maxWaiting = maxWaiting
  }

  /** Lines dropped since the start. */
  get dropped(): number {
    return this.#dropped
  }

  write(line: string): void {
    const waiting = this.#stream.writableLength + this.#batch.length
    // Once full it stays so until half is taken: one notice for many lines, not one for every other.
    const room = this.#unsaid > 0 ? this.#maxWaiting / 2 : this.#maxWaiting
    if (waiting + line.length > room || this.#stream.destroyed) {
      this.#dropped += 1
      this.#unsaid += 1
      return
    }
    if (this.#unsaid > 0) {
      this.#batch += this.#dropNotice(this.#unsaid)
      this.#unsaid = 0
    }
    this.#batch += line
    if (this.#batch.length >= BATCH_SIZE) this.flush()
    else this.#flushing ??= setImmediate(() => this.flush())
  }

  /** Hands everything to the stream. */
  flush(): void {
    clearImmediate(this.#flushing)
    this.#flushing = undefined
    if (this.#batch === '') return
    const batch = this.#batch
    this.#batch = ''
    this.#stream.write(batch)
  }

  /** Resolves when the stream has passed everything on, or the time is over, or there is nobody to take it. */
  async drain(deadlineMs: number): Promise<void> {
    if (this.#unsaid > 0) this.#batch += this.#dropNotice(this.#unsaid)
    this.#unsaid = 0
    this.flush()
    if (this.#stream.writableLength === 0 || this.#stream.destroyed) return
    const drained = Promise.withResolvers<void>()
    const timer = setTimeout(drained.resolve, deadlineMs)
    this.#stream.write('', () => drained.resolve())
    await drained.promise
    clearTimeout(timer)
  }
}
