/**
 * The main thread's side of one replaying thread: starts it, hands it batches of reports, gathers what it answers.
 */
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import { messageOf, TrackError } from '../errors.ts'
import type {
  FromReplayThread,
  Raised,
  ReplayEnd,
  ReplaySetup,
  ReportBatch,
  ToReplayThread,
} from './messages.ts'

/** Heap of the thread, MiB; most of what trends take is beside it. */
const MEMORY_LIMIT_MB = 3_072
/** As long as a policy worker has for the same file. */
const START_DEADLINE_MS = 60_000

type Answer = Exclude<FromReplayThread, { readonly type: 'failed' }>

interface Waiting {
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: Error) => void
}

export class ReplayEngine {
  readonly #worker: Worker
  /** Questions that were not answered yet, in their order. */
  readonly #waiting: Waiting[] = []
  #failure: Error | undefined

  private constructor(worker: Worker) {
    this.#worker = worker
    worker.on('message', (message: FromReplayThread) => {
      if (message.type === 'failed') this.#fail(TrackError.fromWire(message.error))
      else this.#waiting.shift()?.resolve(message)
    })
    worker.on('error', (error) => this.#fail(lost(error)))
    worker.on('exit', () => this.#fail(new TrackError('TRK_WORKER_LOST', 'the replaying thread has ended')))
  }

  /**
   * Starts a thread and waits until its Lua state is built.
   *
   * @throws TrackError what the thread said when it could not be; TRK_CONFIG_TIMEOUT
   */
  static async start(setup: ReplaySetup): Promise<ReplayEngine> {
    const worker = new Worker(new URL(`./replay-thread${extname(import.meta.url)}`, import.meta.url), {
      name: 'replay',
      workerData: setup,
      resourceLimits: { maxOldGenerationSizeMb: MEMORY_LIMIT_MB },
    })
    const engine = new ReplayEngine(worker)
    const timer = setTimeout(
      () => engine.#fail(new TrackError('TRK_CONFIG_TIMEOUT', setup.configFile)),
      START_DEADLINE_MS,
    )
    try {
      await engine.#answer()
      return engine
    } catch (error) {
      await engine.stop()
      throw error
    } finally {
      clearTimeout(timer)
    }
  }

  /**
   * Runs reports after all earlier ones; answers the alerts that they raised.
   *
   * @throws TrackError TRK_REPLAY_LIMIT when the policy remembers or raises too much; TRK_WORKER_LOST
   */
  async run(batch: ReportBatch): Promise<readonly Raised[]> {
    const answer = await this.#ask({ type: 'reports', batch })
    return answer.type === 'ran' ? answer.raised : []
  }

  /** What is left when everything has run. */
  async end(): Promise<ReplayEnd> {
    const answer = await this.#ask({ type: 'end' })
    if (answer.type === 'ended') return answer.end
    throw new TrackError('TRK_WORKER_LOST', 'the replaying thread has answered something else')
  }

  async stop(): Promise<void> {
    await this.#worker.terminate()
  }

  #ask(message: ToReplayThread): Promise<Answer> {
    const answer = this.#answer()
    if (this.#failure === undefined) this.#worker.postMessage(message)
    return answer
  }

  #answer(): Promise<Answer> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }))
  }

  #fail(error: Error): void {
    this.#failure ??= error
    for (const { reject } of this.#waiting.splice(0)) reject(this.#failure)
  }
}

function lost(error: unknown): TrackError {
  const isMemory = typeof error === 'object' && error !== null && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY' // prettier-ignore
  return isMemory
    ? new TrackError(
        'TRK_REPLAY_LIMIT',
        `the thread had ${MEMORY_LIMIT_MB} MiB; replay fewer reports, or have the policy remember less`,
      )
    : new TrackError('TRK_WORKER_LOST', messageOf(error))
}
