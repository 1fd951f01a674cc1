/**
 * The main thread's side of the configuration thread, once the file has run: hands it lines of the console, commits what
 * they have changed, and replaces the thread when it dies or answers nothing. In the new thread the configuration, as it
 * was read, has run again; what earlier lines had changed in Lua variables is gone, and the log says so.
 *
 * A line's effects are committed before it is answered, and it is answered once: a line that was in a lost thread gets an
 * error, and is not tried again.
 */
import type { Worker } from 'node:worker_threads'
import type { ServerAnswer, ServerQuestion } from '../console/console-questions.ts'
import type { CollectedGeoDatabase } from './settings-collector.ts'
import { messageOf } from '../errors.ts'
import type { CommittedEffects } from '../policy/messages.ts'
import type { TrendReaderSetup } from '../store/embedded/trend-reader.ts'
import type { Log } from '../telemetry/log.ts'
import { LINE_LIMITS } from './line-limits.ts'
import type { StoreAnswer, StoreQuestion } from '../policy/store-questions.ts'
import { ThreadWatch } from './thread-watch.ts'
import type { ConsoleNotice, FromConfigThread, LineOutcome, ToConfigThread } from './messages.ts'

/** Lines under way at once, over all clients. */
const MAX_LINES = 200
/** After the limit of a line, in which the thread itself answers. */
const ANSWER_GRACE_MS = 5_000

/** What a line was answered. */
export interface LineAnswer {
  readonly ok: boolean
  readonly text: string
}

/** What lines may ask of the server once it is up. */
export interface ConsoleServer {
  readonly log: Log
  /** The store's door for a new thread. */
  readonly openReader: () => TrendReaderSetup
  readonly hashSeed: Uint8Array
  readonly answerStore: (question: StoreQuestion) => Promise<StoreAnswer>
  readonly answerServer: (question: ServerQuestion) => Promise<ServerAnswer>
  /** Commits what a line has changed; false when it could not be stored. */
  readonly commit: (effects: CommittedEffects) => Promise<boolean>
  /** Lets every policy state run the line too. */
  readonly runInPolicies: (line: string) => void
  readonly onNotice: (notice: ConsoleNotice) => void
}

export interface ConfigurationThread {
  /** The server is up. Lines before are refused. */
  readonly connect: (server: ConsoleServer) => void
  /**
   * Runs a line of the console; never rejects.
   *
   * @param peer - address of the client, for the log
   */
  readonly runLine: (line: string, peer: string) => Promise<LineAnswer>
  /** A GeoIP file was replaced: lines look up in the new one. */
  readonly replaceGeoDatabase: (database: CollectedGeoDatabase) => void
  /** Another configuration is in force: ends the thread when the lines in it have ended, or their time is up. */
  readonly retire: () => Promise<void>
  readonly stop: () => Promise<void>
}

interface OpenLine {
  readonly line: string
  readonly peer: string
  readonly answer: (answer: LineAnswer) => void
  /** Settles when it has been answered. */
  readonly ended: Promise<LineAnswer>
  readonly deadline: NodeJS.Timeout
}

/** @param startThread - a new thread in which the same configuration has run; rejects when it could not */
export function createConfigurationThread(
  first: Worker,
  startThread: () => Promise<Worker>,
): ConfigurationThread {
  return new ThreadOfLines(first, startThread)
}

class ThreadOfLines implements ConfigurationThread {
  readonly #startThread: () => Promise<Worker>
  readonly #lines = new Map<number, OpenLine>()
  #worker: Worker | undefined
  #server: ConsoleServer | undefined
  /** While lines are under way. */
  #watch: ThreadWatch | undefined
  #nextId = 1
  #isStopped = false
  #starting: Promise<void> | undefined

  constructor(first: Worker, startThread: () => Promise<Worker>) {
    this.#startThread = startThread
    this.#adopt(first)
  }

  readonly connect = (server: ConsoleServer): void => {
    this.#server = server
    this.#connectThread()
  }

  readonly runLine = (line: string, peer: string): Promise<LineAnswer> => {
    if (this.#isStopped) return Promise.resolve(refused('the server is stopping'))
    if (this.#server === undefined) return Promise.resolve(refused('the server is still starting'))
    if (this.#lines.size >= MAX_LINES) {
      return Promise.resolve(refused(`${MAX_LINES} lines are under way already; try again later`))
    }
    if (this.#worker === undefined) {
      // The next line tries again, so that a start that failed once does not end the console for good.
      this.#restart()
      return Promise.resolve(refused('the configuration thread is being started again; try again later'))
    }
    const { promise: ended, resolve: answer } = Promise.withResolvers<LineAnswer>()
    const id = this.#nextId++
    const deadline = setTimeout(
      () => this.#lose('a line was not answered in time'),
      LINE_LIMITS.wallMs + ANSWER_GRACE_MS,
    )
    this.#lines.set(id, { line, peer, answer, ended, deadline })
    this.#startWatch()
    this.#post({ type: 'line', id, line })
    return ended
  }

  readonly replaceGeoDatabase = (database: CollectedGeoDatabase): void => {
    this.#post({ type: 'geo-database', database })
  }

  readonly retire = async (): Promise<void> => {
    // One of them may be what asked for the other configuration, and waits for the answer.
    await Promise.all(Array.from(this.#lines.values(), ({ ended }) => ended))
    await this.stop()
  }

  readonly stop = async (): Promise<void> => {
    this.#isStopped = true
    this.#watch?.stop()
    const worker = this.#worker
    this.#worker = undefined
    this.#refuseAll('the server is stopping')
    await this.#starting
    await worker?.terminate()
  }

  #post(message: ToConfigThread): void {
    this.#worker?.postMessage(message)
  }

  #adopt(worker: Worker): void {
    this.#worker = worker
    worker.on('message', (message: FromConfigThread) => {
      if (this.#worker === worker) this.#receive(message)
    })
    worker.on('error', (error) => {
      if (this.#worker === worker) this.#lose(messageOf(error))
    })
    worker.once('exit', () => {
      if (this.#worker === worker) this.#lose('it ended by itself')
    })
    // What waits for it is the control socket's clients; alone it keeps no process alive.
    worker.unref()
    this.#connectThread()
  }

  #connectThread(): void {
    if (this.#server === undefined || this.#worker === undefined) return
    const { openReader, hashSeed } = this.#server
    const reader = openReader()
    this.#worker.postMessage({ type: 'connect', reader, hashSeed } satisfies ToConfigThread, [reader.port])
  }

  #startWatch(): void {
    const worker = this.#worker
    if (worker === undefined || this.#watch !== undefined) return
    this.#watch = new ThreadWatch(worker, {
      limits: LINE_LIMITS,
      ping: () => this.#post({ type: 'ping' }),
      onHung: () => this.#lose('it answered nothing for too long'),
    })
  }

  #receive(message: FromConfigThread): void {
    this.#watch?.sign()
    switch (message.type) {
      case 'line-ended':
        void this.#lineEnded(message.id, message.outcome)
        return
      case 'store-question':
        void this.#answerStore(message.id, message.question)
        return
      case 'server-question':
        void this.#answerServer(message.id, message.question)
        return
      case 'log':
      case 'dns-query':
      case 'geo-damage':
      case 'shutdown':
        this.#server?.onNotice(message)
        return
      case 'pong':
      // Of the start, which load-configuration.ts has read.
      case 'collected':
      case 'failed':
        return
      default:
        message satisfies never
    }
  }

  async #lineEnded(id: number, outcome: LineOutcome): Promise<void> {
    const open = this.#lines.get(id)
    const server = this.#server
    if (open === undefined || server === undefined) return
    this.#lines.delete(id)
    clearTimeout(open.deadline)
    if (this.#lines.size === 0) this.#stopWatch()
    if (!outcome.ok) return open.answer(outcome)
    if (outcome.effects !== undefined && !(await server.commit(outcome.effects))) {
      return open.answer(refused('what the line changed could not be stored; the log says why'))
    }
    server.runInPolicies(open.line)
    open.answer({ ok: true, text: outcome.text })
  }

  async #answerStore(id: number, question: StoreQuestion): Promise<void> {
    const worker = this.#worker
    const answer = await orFailed(this.#server?.answerStore(question))
    // The numbers of questions are those of the thread that asked.
    worker?.postMessage({ type: 'store-answer', id, answer } satisfies ToConfigThread)
  }

  async #answerServer(id: number, question: ServerQuestion): Promise<void> {
    const worker = this.#worker
    const answer = await orFailed(this.#server?.answerServer(question))
    worker?.postMessage({ type: 'server-answer', id, answer } satisfies ToConfigThread)
  }

  #lose(reason: string): void {
    const lost = this.#worker
    if (lost === undefined) return
    this.#worker = undefined
    this.#server?.log.error(
      'the configuration thread is replaced; what the console had changed in it is gone',
      {
        reason,
        lines: this.#lines.size,
      },
    )
    this.#refuseAll(`the configuration thread was lost while this ran (${reason})`)
    void lost.terminate()
    this.#restart()
  }

  #restart(): void {
    if (this.#isStopped || this.#starting !== undefined) return
    this.#starting = this.#start().finally(() => {
      this.#starting = undefined
    })
  }

  async #start(): Promise<void> {
    try {
      const worker = await this.#startThread()
      if (this.#isStopped) await worker.terminate()
      else this.#adopt(worker)
    } catch (error) {
      this.#server?.log.error('the configuration thread could not be started again', {
        error: messageOf(error),
      })
    }
  }

  #stopWatch(): void {
    this.#watch?.stop()
    this.#watch = undefined
  }

  #refuseAll(why: string): void {
    this.#stopWatch()
    for (const { answer, deadline } of this.#lines.values()) {
      clearTimeout(deadline)
      answer(refused(why))
    }
    this.#lines.clear()
  }
}

function refused(why: string): LineAnswer {
  return { ok: false, text: `Error: ${why}` }
}

async function orFailed<Answer>(answer: Promise<Answer> | undefined) {
  try {
    return (await answer) ?? ({ kind: 'failed', message: 'the server is still starting' } as const)
  } catch (error) {
    return { kind: 'failed', message: messageOf(error) } as const
  }
}
