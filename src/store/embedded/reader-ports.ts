/**
 * The readers of trends on policy workers, as the main thread sees them: it must know when none has the database open any
 * more. Main thread. A worker that ends closes its port, and counts no longer.
 */
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { TrackError } from '../../errors.ts'
import type { ToReader } from './messages.ts'

export class ReaderPorts {
  /** Whether each reader may have the database open. */
  readonly #mayHold = new Map<MessagePort, boolean>()
  #isOpen = false
  #wake: (() => void) | undefined

  /** The other end of a new reader's port; to be transferred to its thread. */
  add(): MessagePort {
    const { port1, port2 } = new MessageChannel()
    this.#mayHold.set(port1, this.#isOpen)
    // A reader says one thing only: FromReader.
    port1.on('message', () => {
      this.#mayHold.set(port1, false)
      this.#wake?.()
    })
    port1.on('close', () => {
      this.#mayHold.delete(port1)
      this.#wake?.()
    })
    port1.unref()
    if (this.#isOpen) post(port1, { type: 'resume' })
    return port2
  }

  /** The main thread holds the database open. */
  resume(): void {
    this.#isOpen = true
    for (const port of this.#mayHold.keys()) {
      this.#mayHold.set(port, true)
      post(port, { type: 'resume' })
    }
  }

  /**
   * Resolves when no reader has the database open.
   *
   * @throws TrackError TRK_STORE_FAILED when one still has after so long.
   */
  async release(withinMs: number): Promise<void> {
    this.#isOpen = false
    for (const port of this.#mayHold.keys()) post(port, { type: 'release' })
    const endMs = performance.now() + withinMs
    for (let holding = this.#holding; holding > 0; holding = this.#holding) {
      if (performance.now() >= endMs) {
        const who = holding === 1 ? 'a policy worker still reads' : `${holding} policy workers still read`
        throw new TrackError('TRK_STORE_FAILED', `${who} from it`)
      }
      await this.#change(endMs - performance.now())
    }
  }

  /** Readers that may have the database open. */
  get #holding(): number {
    return [...this.#mayHold.values()].filter(Boolean).length
  }

  close(): void {
    for (const port of this.#mayHold.keys()) port.close()
    this.#mayHold.clear()
  }

  #change(withinMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, withinMs)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}

function post(port: MessagePort, message: ToReader): void {
  port.postMessage(message)
}
