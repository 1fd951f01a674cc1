/**
 * The port between a lane and whoever talks to the other side: a webhook's receiver, a mail server, a script. Types
 * only. A lane decides when to try and what becomes of a message; a sender makes one try and says what came of it.
 */
import type { Verdict } from './retry.ts'

export interface OutgoingMessage {
  /** UUID, the same on every try. */
  readonly deliveryId: string
  /** A byte string, see login/byte-string.ts. */
  readonly body: string
  /** Unix milliseconds. */
  readonly createdAtMs: number
  /** Tries so far, all of which failed. */
  readonly tries: number
}

/** How one try ended. */
export interface Attempt {
  readonly verdict: Verdict
  /** What the other side said, or why it said nothing: one short line for people, without secrets. */
  readonly answer: string
  /** Nothing more can be sent before the next start of the server: the lane closes, and its messages stay as they were. */
  readonly endsLane?: true
}

/** Messages that go out together. */
export interface Batching {
  readonly maxMessages: number
  /** Between the starts of two tries; 0 for none. */
  readonly intervalMs: number
}

export interface Sender {
  /** Set when one try may take several messages; a lane then makes one try at a time. */
  readonly batching?: Batching
  /**
   * Never rejects, and ends within the sender's own time limit, and that of a Lua function that makes what is sent. Several
   * messages only with `batching`.
   */
  send(messages: readonly [OutgoingMessage, ...OutgoingMessage[]]): Promise<Attempt>
  /**
   * As `send`, on a connection of its own. A lane calls it at once after a first try whose connection was closed: that may
   * have been an idle one that was just being closed, which is nobody's failure. Left out where every try has its own.
   */
  sendAfresh?(message: OutgoingMessage): Promise<Attempt>
  /** Ends the tries under way, which then report a failure, and lets go of everything. */
  close(): Promise<void>
}
