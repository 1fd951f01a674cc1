/**
 * The store thread as the main thread sees it: starts it, opens the database before it does, keeps what is unanswered, and
 * replaces the thread if it is lost. Main thread.
 *
 * Life: `starting` → `open` → (`lost` → `starting` …) → `closed`. What was sent and not answered is sent again to the
 * replacement, in order; every message can be done twice with the effect of once.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Worker } from 'node:worker_threads'
import { messageOf, TrackError } from '../../errors.ts'
import { Database } from './database.ts'
import type {
  AppendMessage,
  CommitMessage,
  FromStoreThread,
  StoreThreadChange,
  StoreThreadSetup,
  ToStoreThread,
} from './messages.ts'
import type { ReaderPorts } from './reader-ports.ts'
import type { StoreThreads } from './store-thread-starter.ts'

/** A view lives as long as a batch of runs, and a run at most half a minute by default. */
const RELEASE_WITHIN_MS = 60_000
/** At the end of the process: who reads then has been told to stop before. */
const CLOSE_WITHIN_MS = 3_000
const RESTART_PAUSE_MS = { first: 100, longest: 10_000 } as const

export type OpenMessage = Extract<FromStoreThread, { readonly type: 'open' }>
type Request = AppendMessage | CommitMessage | Extract<ToStoreThread, { readonly type: 'call' }>
/** Everything that is about the store's content. */
export type StoreNews = Exclude<
  FromStoreThread,
  { readonly type: 'checked' | 'open' | 'failed' | 'reopen' | 'gone' | 'closed' }
>

interface ThreadLinkDeps {
  readonly threads: StoreThreads
  readonly readers: ReaderPorts
  readonly onNews: (news: StoreNews) => void
  /** The thread ended by itself; it is being replaced. */
  readonly onLost: (reason: string) => void
  /** The database could not be closed, and stays open until the process ends. */
  readonly onLeftOpen: (reason: string) => void
}

export class ThreadLink {
  readonly #deps: ThreadLinkDeps
  #setup: StoreThreadSetup
  readonly #unanswered = new Map<number, Request>()
  readonly #stopping = new AbortController()
  #worker: Worker | undefined
  #anchor: Database | undefined
  #isOpen = false
  #closed: (() => void) | undefined
  #isEverOpen = false

  constructor(deps: ThreadLinkDeps, setup: StoreThreadSetup) {
    this.#deps = deps
    this.#setup = setup
  }

  /** @throws TrackError what stood in the way of opening the store. */
  async start(): Promise<OpenMessage> {
    try {
      return await this.#launch()
    } catch (error) {
      await this.#worker?.terminate()
      await this.#anchor?.close()
      throw error
    }
  }

  /** Sends a request; it is kept until `answered`. */
  send(request: Request): void {
    this.#unanswered.set(request.call, request)
    if (this.#isOpen) this.#post(request)
  }

  /** A thread that replaces this one goes by the changed settings. */
  restartWith({ trendSetup, ...settings }: StoreThreadChange): void {
    const trends = { ...this.#setup.trends, setup: trendSetup }
    this.#setup = { ...this.#setup, ...settings, trends }
  }

  answered(call: number): void {
    this.#unanswered.delete(call)
  }

  async close(): Promise<void> {
    this.#stopping.abort()
    const worker = this.#worker
    if (worker !== undefined && this.#isOpen) {
      const closed = new Promise<void>((resolve) => {
        this.#closed = resolve
        worker.once('exit', () => resolve())
      })
      this.#post({ type: 'close' })
      await closed
    }
    await worker?.terminate()
    try {
      await this.#deps.readers.release(CLOSE_WITHIN_MS)
      await this.#anchor?.close()
    } catch (error) {
      // A worker still reads: the database must stay open under it, and ends with the process.
      this.#deps.onLeftOpen(messageOf(error))
    }
    this.#deps.readers.close()
  }

  #post(message: ToStoreThread): void {
    this.#worker?.postMessage(message)
  }

  #launch(): Promise<OpenMessage> {
    const worker = this.#deps.threads.start({ ...this.#setup, isRestart: this.#isEverOpen })
    this.#worker = worker
    return new Promise((resolve, reject) => {
      worker.on('message', (message: FromStoreThread) => {
        if (message.type === 'open') {
          this.#isOpen = true
          this.#isEverOpen = true
          for (const request of this.#unanswered.values()) this.#post(request)
          resolve(message)
        } else if (message.type === 'failed') {
          reject(TrackError.fromWire(message.error))
        } else {
          this.#receive(message)
        }
      })
      let reason = 'it ended by itself'
      worker.on('error', (error) => (reason = messageOf(error)))
      worker.once('exit', () => {
        reject(new TrackError('TRK_STORE_FAILED', `the store thread was lost: ${reason}`))
        if (this.#isOpen && this.#worker === worker && !this.#stopping.signal.aborted)
          void this.#relaunch(reason)
      })
    })
  }

  #receive(message: Exclude<FromStoreThread, { readonly type: 'open' | 'failed' }>): void {
    if (message.type === 'checked') void this.#openAnchor()
    else if (message.type === 'reopen') void this.#releaseReaders()
    else if (message.type === 'gone') void this.#reopenAnchor()
    else if (message.type === 'closed') this.#closed?.()
    else this.#deps.onNews(message)
  }

  async #openAnchor(): Promise<void> {
    try {
      this.#anchor ??= await Database.open(this.#setup.databaseDirectory)
      this.#deps.readers.resume()
      this.#post({ type: 'anchored' })
    } catch (error) {
      this.#post({ type: 'not-anchored', error: asTrackError(error).toWire() })
    }
  }

  /** All other threads first: the handle that opened the database must be the last to close it. */
  async #releaseReaders(): Promise<void> {
    try {
      await this.#deps.readers.release(RELEASE_WITHIN_MS)
      this.#post({ type: 'let-go' })
    } catch (error) {
      this.#deps.readers.resume()
      this.#post({ type: 'not-anchored', error: asTrackError(error).toWire() })
    }
  }

  async #reopenAnchor(): Promise<void> {
    await this.#anchor?.close()
    this.#anchor = undefined
    await this.#openAnchor()
  }

  async #relaunch(reason: string): Promise<void> {
    this.#isOpen = false
    this.#deps.onLost(reason)
    let pauseMs: number = RESTART_PAUSE_MS.first
    while (!this.#stopping.signal.aborted) {
      try {
        await sleep(pauseMs, undefined, { signal: this.#stopping.signal })
        await this.#launch()
        return
      } catch (error) {
        if (this.#stopping.signal.aborted) return
        this.#deps.onLost(messageOf(error))
        await this.#worker?.terminate()
        pauseMs = Math.min(pauseMs * 2, RESTART_PAUSE_MS.longest)
      }
    }
  }
}

function asTrackError(thrown: unknown): TrackError {
  return thrown instanceof TrackError ? thrown : new TrackError('TRK_STORE_FAILED', messageOf(thrown))
}
