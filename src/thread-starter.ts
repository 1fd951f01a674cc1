/**
 * Threads that are told what to work with after they were started, so that one can load its code before that is known.
 * Used on the main thread, which starts them, and in them, which wait for it.
 */
import { once } from 'node:events'
import {
  MessageChannel,
  Worker,
  workerData,
  type MessagePort,
  type ResourceLimits,
  type Transferable,
} from 'node:worker_threads'

/** What each thread of a kind has in common. */
export interface ThreadKind {
  /** The file that it runs; it calls `threadSetup`. */
  readonly file: URL
  /** The system shows it. */
  readonly name: string
  readonly resourceLimits: ResourceLimits
}

interface WaitingThread {
  readonly worker: Worker
  readonly port: MessagePort
}

interface PortToSetup {
  readonly setupPort: MessagePort
}

/** Starts threads of one kind, one after another; the first may be started ahead. */
export class ThreadStarter<Setup> {
  readonly #kind: ThreadKind
  #ahead: WaitingThread | undefined

  constructor(kind: ThreadKind) {
    this.#kind = kind
  }

  /** Starts a thread for the next who needs one. It waits when its code is loaded. */
  startAhead(): void {
    if (this.#ahead !== undefined) return
    const ahead = this.#startThread(this.#kind.name)
    this.#ahead = ahead
    // One that ends by itself is passed over: whoever starts another hears what is wrong.
    const passOver = (): void => {
      if (this.#ahead === ahead) this.#ahead = undefined
    }
    ahead.worker.once('error', passOver).once('exit', passOver)
  }

  /**
   * @param name - if not that of the kind; a thread that was started ahead has that all the same
   * @throws Error what cannot be sent to a thread; then none is left
   */
  start(setup: Setup, { name, transfers = [] }: { name?: string; transfers?: Transferable[] } = {}): Worker {
    const { worker, port } = this.#ahead ?? this.#startThread(name ?? this.#kind.name)
    this.#ahead = undefined
    worker.removeAllListeners('error').removeAllListeners('exit')
    try {
      port.postMessage(setup, transfers)
      return worker
    } finally {
      // A thread that was told nothing ends with it: nothing else keeps it.
      port.close()
    }
  }

  /** Ends a thread that was started ahead and that nobody needed. */
  async stop(): Promise<void> {
    await this.#ahead?.worker.terminate()
  }

  #startThread(name: string): WaitingThread {
    const { file, resourceLimits } = this.#kind
    const { port1: port, port2: setupPort } = new MessageChannel()
    const worker = new Worker(file, {
      name,
      workerData: { setupPort } satisfies PortToSetup,
      transferList: [setupPort],
      resourceLimits,
    })
    return { worker, port }
  }
}

/** In a thread of a `ThreadStarter`: what it is to work with, once that is known. To be called once. */
export async function threadSetup<Setup>(): Promise<Setup> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the starter gives nothing else
  const { setupPort } = workerData as PortToSetup
  // Not the parent's port: what comes there next, before anybody listens, is kept.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the starter sends one message, of this type
  const [setup] = (await once(setupPort, 'message')) as [Setup]
  setupPort.close()
  return setup
}
