/**
 * Watches over a thread that runs Lua: says when it answers nothing any more, and nothing but replacing it will help. Lives
 * on the main thread.
 *
 * Any message is a sign of life; a thread that a run holds cannot send one. Such a run has the processor time that runs
 * have: on a busy machine that may take long, so the time on the wall ends only what uses hardly any. Pings are counted
 * rather than timed: a server that was itself stopped for a while must not blame its threads.
 */
import type { Worker } from 'node:worker_threads'
import type { CallLimits } from '../lua/calls.ts'
import { processorMsOf } from '../policy/processor-time.ts'

const PING_EVERY_MS = 1_000
/** On top of the processor time that a run may use: for garbage collection. */
const PROCESSOR_ALLOWANCE_MS = 2_000

interface ThreadWatchOptions {
  /** Of one run. */
  readonly limits: CallLimits
  /** Asks the thread for a sign of life. */
  readonly ping: () => void
  /** It is hung; nothing is watched any more. */
  readonly onHung: (silentForMs: number) => void
}

export class ThreadWatch {
  readonly #worker: Worker
  readonly #options: ThreadWatchOptions
  readonly #timer: NodeJS.Timeout
  #unansweredPings = 0
  /** The thread's processor time when it last gave a sign of life, as far as it was asked. */
  #processorMsAtSign: number | undefined
  #isStopped = false

  constructor(worker: Worker, options: ThreadWatchOptions) {
    this.#worker = worker
    this.#options = options
    this.#timer = setInterval(() => void this.#look(), PING_EVERY_MS)
  }

  /** The thread has sent something. */
  sign(): void {
    this.#unansweredPings = 0
  }

  stop(): void {
    this.#isStopped = true
    clearInterval(this.#timer)
  }

  async #look(): Promise<void> {
    const processorMs = await processorMsOf(this.#worker)
    if (this.#isStopped) return
    if (this.#unansweredPings === 0) this.#processorMsAtSign = processorMs
    const { limits, ping, onHung } = this.#options
    const usedMs = (processorMs ?? 0) - (this.#processorMsAtSign ?? processorMs ?? 0)
    const silentForMs = this.#unansweredPings * PING_EVERY_MS
    if (usedMs > limits.cpuMs + PROCESSOR_ALLOWANCE_MS || silentForMs > limits.wallMs) {
      this.stop()
      onHung(silentForMs)
      return
    }
    this.#unansweredPings++
    ping()
  }
}
