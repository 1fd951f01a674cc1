/**
 * Says in the log who was refused on the control socket: each reason at most once a minute, with how many more there
 * were, so that whoever knocks all day does not fill the disk. Main thread.
 */
import type { Log } from '../telemetry/log.ts'

/** Why a connection was closed by the server. A label of a metric. */
export type ControlRefusal =
  /** The key is another, or somebody changed, repeated or reordered what was sent. */
  | 'bad-mac'
  /** A frame too short for any message, or one that the peer did not finish. */
  | 'short-frame'
  /** The handshake was not done in time. */
  | 'handshake-timeout'
  /** A frame had begun and was not complete in time. */
  | 'frame-timeout'
  /** No command for too long, or an answer that was not taken. */
  | 'idle'
  /** More connections than may be open. */
  | 'too-many'

interface RefusalLogDeps {
  readonly log: Log
  /** Unix milliseconds. */
  readonly now: () => number
}

const REPEAT_AFTER_MS = 60_000

export class RefusalLog {
  readonly #log: Log
  readonly #now: () => number
  /** Bounded: the reasons are a closed set. */
  readonly #told = new Map<ControlRefusal, { readonly atMs: number; unsaid: number }>()

  constructor({ log, now }: RefusalLogDeps) {
    this.#log = log
    this.#now = now
  }

  report(reason: ControlRefusal, peer: string): void {
    const nowMs = this.#now()
    const last = this.#told.get(reason)
    if (last !== undefined && nowMs - last.atMs < REPEAT_AFTER_MS) {
      last.unsaid += 1
      return
    }
    this.#told.set(reason, { atMs: nowMs, unsaid: 0 })
    const others = last?.unsaid ?? 0
    this.#log[reason === 'idle' ? 'info' : 'warn']('a control connection was closed', {
      reason,
      peer,
      ...(others > 0 ? { unsaidBefore: others } : {}),
    })
  }
}
