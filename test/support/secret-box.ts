/**
 * NaCl's secretbox (XSalsa20 and Poly1305), written from the papers alone, for tests that must not believe the library
 * that the server uses: "Extending the Salsa20 nonce" (https://cr.yp.to/snuffle/xsalsa-20110204.pdf) and "The
 * Poly1305-AES message-authentication code" (https://cr.yp.to/mac/poly1305-20050329.pdf). Slow and plain.
 */

const SIGMA = [0x61707865, 0x3320646e, 0x79622d32, 0x6b206574] as const
const BLOCK_BYTES = 64
const MAC_BYTES = 16
const ROUNDS = 20
const PRIME = (1n << 130n) - 5n
const CLAMP = 0x0ffffffc0ffffffc0ffffffc0fffffffn

/** The MAC, then the message in cipher. */
export function sealBox(message: Uint8Array, nonce: Uint8Array, key: Uint8Array): Buffer {
  const stream = keyStream(MAC_BYTES * 2 + message.length, nonce, key)
  const cipher = Buffer.from(message.map((byte, index) => byte ^ (stream[MAC_BYTES * 2 + index] ?? 0)))
  return Buffer.concat([poly1305(cipher, stream.subarray(0, MAC_BYTES * 2)), cipher])
}

/** undefined when the MAC is wrong. */
export function openBox(box: Uint8Array, nonce: Uint8Array, key: Uint8Array): Buffer | undefined {
  const cipher = box.subarray(MAC_BYTES)
  const stream = keyStream(MAC_BYTES * 2 + cipher.length, nonce, key)
  const mac = poly1305(cipher, stream.subarray(0, MAC_BYTES * 2))
  if (box.length < MAC_BYTES || !mac.equals(box.subarray(0, MAC_BYTES))) return undefined
  return Buffer.from(cipher.map((byte, index) => byte ^ (stream[MAC_BYTES * 2 + index] ?? 0)))
}

function keyStream(length: number, nonce: Uint8Array, key: Uint8Array): Buffer {
  const subkey = hSalsa20(words(nonce.subarray(0, 16)), words(key))
  const [first = 0, second = 0] = words(nonce.subarray(16))
  const blocks: Buffer[] = []
  for (let count = 0; count * BLOCK_BYTES < length; count++) {
    const input = matrix(subkey, [first, second, count, 0])
    const output = doubleRounds(input).map((word, index) => word + (input[index] ?? 0))
    blocks.push(bytesOf(output))
  }
  return Buffer.concat(blocks).subarray(0, length)
}

/** The part of XSalsa20 that makes a key of its own for the first sixteen bytes of the nonce. */
function hSalsa20(input: readonly number[], key: readonly number[]): number[] {
  const state = doubleRounds(matrix(key, input))
  return [0, 5, 10, 15, 6, 7, 8, 9].map((index) => state[index] ?? 0)
}

function matrix(key: readonly number[], input: readonly number[]): number[] {
  const [s0, s1, s2, s3] = SIGMA
  return [s0, ...key.slice(0, 4), s1, ...input, s2, ...key.slice(4), s3]
}

function doubleRounds(input: readonly number[]): number[] {
  const x = Int32Array.from(input)
  const at = (index: number): number => x[index] ?? 0
  const quarter = (a: number, b: number, c: number, d: number): void => {
    x[b] = at(b) ^ rotate(at(a) + at(d), 7)
    x[c] = at(c) ^ rotate(at(b) + at(a), 9)
    x[d] = at(d) ^ rotate(at(c) + at(b), 13)
    x[a] = at(a) ^ rotate(at(d) + at(c), 18)
  }
  for (let round = 0; round < ROUNDS; round += 2) {
    quarter(0, 4, 8, 12)
    quarter(5, 9, 13, 1)
    quarter(10, 14, 2, 6)
    quarter(15, 3, 7, 11)
    quarter(0, 1, 2, 3)
    quarter(5, 6, 7, 4)
    quarter(10, 11, 8, 9)
    quarter(15, 12, 13, 14)
  }
  return [...x]
}

function rotate(sum: number, by: number): number {
  return (sum << by) | ((sum | 0) >>> (32 - by))
}

function poly1305(message: Uint8Array, oneTimeKey: Uint8Array): Buffer {
  const r = littleEndian(oneTimeKey.subarray(0, 16)) & CLAMP
  let sum = 0n
  for (let from = 0; from < message.length; from += 16) {
    const block = message.subarray(from, from + 16)
    sum = ((sum + littleEndian(block) + (1n << BigInt(8 * block.length))) * r) % PRIME
  }
  const mac = (sum + littleEndian(oneTimeKey.subarray(16))) & ((1n << 128n) - 1n)
  return Buffer.from(Buffer.from(mac.toString(16).padStart(32, '0'), 'hex').toReversed())
}

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x0${Buffer.from(bytes.toReversed()).toString('hex')}`)
}

function words(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  return Array.from({ length: bytes.length / 4 }, (_, index) => view.getInt32(index * 4, true))
}

function bytesOf(values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4)
  for (const [index, word] of values.entries()) bytes.writeInt32LE(word | 0, index * 4)
  return bytes
}
