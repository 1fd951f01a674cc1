/**
 * The codec of the control socket: how one message becomes a frame and back, for one connection. Pure, no I/O; used by
 * the server on the main thread and by the client in its own process.
 *
 * The protocol is the reference's: each side sends 24 random bytes; then a message is its length, 16 bits big-endian,
 * and NaCl's secretbox of it (https://nacl.cr.yp.to/secretbox.html) under the shared key. Each direction has a nonce of
 * its own, made from both sides' random bytes, so that a recording of one connection means nothing to the next.
 */
import nacl from 'tweetnacl'

export const KEY_BYTES = 32
export const NONCE_BYTES = 24
export const HEADER_BYTES = 2
/** What the seal adds; a frame that says it is shorter holds no message. */
export const MAC_BYTES = 16
const MAX_BOX_BYTES = 0xffff
/** The longest message that fits into a frame. */
export const MAX_MESSAGE_BYTES = MAX_BOX_BYTES - MAC_BYTES

const HALF_NONCE_BYTES = NONCE_BYTES / 2
const COUNTER_BYTES = 4

interface Handshake {
  /** KEY_BYTES, shared. */
  readonly key: Uint8Array
  /** NONCE_BYTES at random, sent by us. */
  readonly ownNonce: Uint8Array
  /** NONCE_BYTES, sent by the other side. */
  readonly peerNonce: Uint8Array
}

/**
 * Whether the other side sent our own random bytes back, or such that differ only where messages are counted. Both
 * directions would then have the same nonces, and whoever sits between could return our messages to us as answers. Only
 * the client has to ask: the server sends its bytes when it has the other's, who cannot know them.
 */
export function isReflected(ownNonce: Uint8Array, peerNonce: Uint8Array): boolean {
  return nacl.verify(ownNonce.subarray(COUNTER_BYTES), peerNonce.subarray(COUNTER_BYTES))
}

/** One connection after the handshake. Messages must be opened and sealed in the order in which they travel. */
export class ControlChannel {
  readonly #key: Uint8Array
  readonly #readNonce: Uint8Array
  readonly #writeNonce: Uint8Array

  constructor({ key, ownNonce, peerNonce }: Handshake) {
    this.#key = key
    this.#readNonce = joinHalves(ownNonce, peerNonce)
    this.#writeNonce = joinHalves(peerNonce, ownNonce)
  }

  /** The frame of a message of at most MAX_MESSAGE_BYTES, with its length in front. */
  seal(message: Uint8Array): Uint8Array {
    const box = nacl.secretbox(message, this.#writeNonce, this.#key)
    countUp(this.#writeNonce)
    const frame = new Uint8Array(HEADER_BYTES + box.length)
    frame[0] = box.length >> 8
    frame[1] = box.length & 0xff
    frame.set(box, HEADER_BYTES)
    return frame
  }

  /**
   * The message of a frame, given without its length. undefined when the other side has not sealed exactly this as its
   * next message: nothing that follows can be believed either, and the connection is to be closed.
   */
  open(box: Uint8Array): Uint8Array | undefined {
    const message = nacl.secretbox.open(box, this.#readNonce, this.#key)
    if (message === null) return undefined
    countUp(this.#readNonce)
    return message
  }
}

function joinHalves(first: Uint8Array, last: Uint8Array): Uint8Array {
  const nonce = new Uint8Array(NONCE_BYTES)
  nonce.set(first.subarray(0, HALF_NONCE_BYTES))
  nonce.set(last.subarray(HALF_NONCE_BYTES), HALF_NONCE_BYTES)
  return nonce
}

/** The counter starts anywhere and wraps: a nonce comes again after 2^32 messages, seven weeks at 1,000 a second. */
function countUp(nonce: Uint8Array): void {
  const counter = new DataView(nonce.buffer, nonce.byteOffset, COUNTER_BYTES)
  counter.setUint32(0, counter.getUint32(0) + 1)
}
