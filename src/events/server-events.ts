/**
 * Where the parts of the server say what happens to it. Events are counted for a second, then stored as alerts in one
 * transaction and handed to the policy's handlers. Main thread. Saying so costs a map entry and never waits; what cannot
 * be stored now, such as that the disk is full, stays here and is stored when it can be.
 */
import { messageOf } from '../errors.ts'
import type { Log } from '../telemetry/log.ts'
import { EventWindow } from './event-window.ts'
import type { ServerEvent, ServerEventName } from './server-event.ts'

interface ServerEventsDeps {
  readonly log: Log
  /** Unix milliseconds. */
  readonly now: () => number
}

/** Where events go. */
export interface EventOutlets {
  /** Stores the alerts of these; rejects when it cannot. */
  readonly store: (events: readonly ServerEvent[]) => Promise<void>
  /** Has the policy's handlers run, if there are any. */
  readonly handle: (event: ServerEvent) => void
}

/** @param about what it is about, such as an address; @param detail what is known of the case, without secrets */
export type EmitEvent = (name: ServerEventName, about: string, detail: string) => void

/** The events of so long are one. */
const WINDOW_MS = 1_000
/** The store may have no room. */
const RETRY_MS = 5_000

export class ServerEvents {
  readonly #deps: ServerEventsDeps
  /** Not stored yet. */
  readonly #window = new EventWindow()
  /** Undefined until there is a store: what happens before waits. */
  #outlets: EventOutlets | undefined
  #timer: NodeJS.Timeout | undefined
  #storing: Promise<boolean> | undefined
  #isStopped = false
  /** The log has been told that events wait. */
  #isSaid = false

  constructor(deps: ServerEventsDeps) {
    this.#deps = deps
  }

  readonly emit: EmitEvent = (name, about, detail) => {
    if (this.#isStopped) return
    const atMs = this.#deps.now()
    this.#window.add({ name, about, detail, count: 1, firstAtMs: atMs, lastAtMs: atMs })
    this.#wakeIn(WINDOW_MS)
  }

  start(outlets: EventOutlets): void {
    this.#outlets = outlets
    if (!this.#window.isEmpty) this.#wakeIn(WINDOW_MS)
  }

  /** Stores what there is without waiting for more. */
  async settle(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    await this.#storing
    if (!this.#window.isEmpty) await this.#work()
  }

  /** Stores what there is. What comes later is dropped; what could not be stored goes with the process. */
  async stop(): Promise<void> {
    this.#isStopped = true
    await this.settle()
  }

  #wakeIn(delayMs: number): void {
    if (this.#outlets === undefined || this.#isStopped) return
    if (this.#timer !== undefined || this.#storing !== undefined) return
    this.#timer = setTimeout(() => void this.#work(), delayMs)
    this.#timer.unref()
  }

  async #work(): Promise<void> {
    this.#timer = undefined
    this.#storing = this.#flush()
    const isStored = await this.#storing
    this.#storing = undefined
    if (!this.#window.isEmpty) this.#wakeIn(isStored ? WINDOW_MS : RETRY_MS)
  }

  async #flush(): Promise<boolean> {
    if (this.#outlets === undefined) return false
    const events = this.#window.take()
    try {
      await this.#outlets.store(events)
    } catch (error) {
      for (const event of events) this.#window.add(event)
      if (!this.#isSaid) {
        this.#deps.log.error('events of the server cannot be stored; they wait in memory', {
          error: messageOf(error),
        })
      }
      this.#isSaid = true
      return false
    }
    this.#isSaid = false
    // At the stop the policy workers are gone.
    if (!this.#isStopped) for (const event of events) this.#outlets.handle(event)
    return true
  }
}
