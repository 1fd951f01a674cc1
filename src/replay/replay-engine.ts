/**
 * The main thread's side of one replaying thread: starts it, hands it batches of reports, gathers what it answers.
 */
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import { messageOf, TrackError } from '../errors.ts'
import {
  NO_REPORT,
  RUN_MARK,
  type FromReplayThread,
  type Raised,
  type ReplayEnd,
  type ReplaySetup,
  type ReplayThreadSetup,
  type ReportBatch,
  type ToReplayThread,
} from './messages.ts'

/** Heap of the thread, MiB; most of what trends take is beside it. */
const MEMORY_LIMIT_MB = 3_072
/** As long as a policy worker has for the same file. */
const START_DEADLINE_MS = 60_000
/** A run ends by its own limits long before, unless it is in one function that nothing can stop. */
const SILENCE_MS = 120_000
const LOOKS = 20

type Answer = Exclude<FromReplayThread, { readonly type: 'failed' }>

interface Waiting {
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: Error) => void
}

export class ReplayEngine {
  readonly #worker: Worker
  /** Questions that were not answered yet, in their order. */
  readonly #waiting: Waiting[] = []
  readonly #runMarks: BigInt64Array
  #failure: Error | undefined
  #watch: NodeJS.Timeout | undefined

  private constructor(worker: Worker, runMarks: BigInt64Array) {
    this.#worker = worker
    this.#runMarks = runMarks
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
   * @param silenceMs - a run that takes longer ends the replay
   * @throws TrackError what the thread said when it could not be; TRK_CONFIG_TIMEOUT
   */
  static async start(setup: ReplaySetup, silenceMs = SILENCE_MS): Promise<ReplayEngine> {
    const runMarks = new BigInt64Array(
      new SharedArrayBuffer(Object.keys(RUN_MARK).length * BigInt64Array.BYTES_PER_ELEMENT),
    )
    const worker = new Worker(new URL(`./replay-thread${extname(import.meta.url)}`, import.meta.url), {
      name: 'replay',
      workerData: { setup, runMarks } satisfies ReplayThreadSetup,
      resourceLimits: { maxOldGenerationSizeMb: MEMORY_LIMIT_MB },
    })
    const engine = new ReplayEngine(worker, runMarks)
    const timer = setTimeout(
      () => engine.#fail(new TrackError('TRK_CONFIG_TIMEOUT', setup.configFile)),
      START_DEADLINE_MS,
    )
    try {
      await engine.#answer()
      engine.#watchRuns(silenceMs / LOOKS)
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
   * @throws TrackError TRK_REPLAY_LIMIT when the policy remembers or raises too much; TRK_WORKER_LOST, also when a run does
   *   not end
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
    clearInterval(this.#watch)
    await this.#worker.terminate()
  }

  /** Counts looks, not time: a process that was stopped for a while has not waited. */
  #watchRuns(everyMs: number): void {
    let seenRuns = -1n
    let looks = 0
    this.#watch = setInterval(() => {
      const runs = Atomics.load(this.#runMarks, RUN_MARK.runs)
      looks = runs === seenRuns && this.#waiting.length > 0 ? looks + 1 : 0
      seenRuns = runs
      if (looks >= LOOKS) this.#fail(neverEnds(Atomics.load(this.#runMarks, RUN_MARK.reportId)))
    }, everyMs)
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

function neverEnds(reportId: bigint): TrackError {
  const what = reportId === NO_REPORT ? 'a background function' : `the run of report ${reportId}`
  return new TrackError(
    'TRK_WORKER_LOST',
    `${what} does not end: it is in one library function, such as string.find with a pattern that matches for ever`,
  )
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
