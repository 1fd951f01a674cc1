/** Frames come out whole, however the network cuts them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { FrameSplitter } from '../../../src/control/frame-splitter.ts'

type Piece = Uint8Array | 'short'

/** Cuts the whole text at once: what any chunking has to come to. */
function naiveSplit(bytes: Uint8Array): { readonly frames: readonly Piece[]; readonly left: number } {
  const frames: Piece[] = []
  let at = 0
  while (at + 2 <= bytes.length) {
    const length = ((bytes[at] ?? 0) << 8) + (bytes[at + 1] ?? 0)
    if (length < 16) return { frames: [...frames, 'short'], left: 1 }
    if (at + 2 + length > bytes.length) break
    frames.push(bytes.slice(at + 2, at + 2 + length))
    at += 2 + length
  }
  return { frames, left: bytes.length - at }
}

function frame(body: Uint8Array): Uint8Array {
  return Buffer.concat([Uint8Array.of(body.length >> 8, body.length & 255), body])
}

function splitInChunks(
  bytes: Uint8Array,
  sizes: readonly number[],
): { frames: Piece[]; splitter: FrameSplitter } {
  const splitter = new FrameSplitter()
  const frames: Piece[] = []
  let at = 0
  for (let turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1
    for (const box of splitter.split(bytes.subarray(at, at + size))) {
      frames.push(box)
      if (box === 'short') return { frames, splitter }
    }
    at += size
  }
  return { frames, splitter }
}

const sizes = fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 20 })
const wellFormed = fc
  .array(fc.uint8Array({ minLength: 16, maxLength: 80 }).map(frame), { maxLength: 8 })
  .map((frames) => Buffer.concat(frames))
const anything = fc.oneof(
  wellFormed,
  fc.tuple(wellFormed, fc.uint8Array({ maxLength: 60 })).map((parts) => Buffer.concat(parts)),
  // Short lengths make frames that end within the text.
  fc.array(fc.constantFrom(0, 0, 15, 16, 17, 20), { maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
)

test('any chunking gives the frames that the whole text has', () => {
  fc.assert(
    fc.property(anything, sizes, (bytes, chunkSizes) => {
      const wanted = naiveSplit(bytes)
      const { frames, splitter } = splitInChunks(bytes, chunkSizes)
      assert.deepEqual(
        frames.map((piece) => (piece === 'short' ? piece : Buffer.from(piece).toString('hex'))),
        wanted.frames.map((piece) => (piece === 'short' ? piece : Buffer.from(piece).toString('hex'))),
      )
      assert.equal(splitter.isInFrame, wanted.left > 0)
    }),
    { numRuns: 1_000 },
  )
})

test('the longest frame comes out of single bytes', () => {
  const body = Buffer.alloc(0xffff, 'x')
  const { frames } = splitInChunks(frame(body), [1])
  assert.equal(frames.length, 1)
  assert.deepEqual(Buffer.from(frames[0] ?? []), body)
})

test('the frames of a chunk are read one by one', () => {
  const splitter = new FrameSplitter()
  const body = new Uint8Array(16)
  const frames = splitter.split(Buffer.concat([frame(body), Uint8Array.of(0, 1)]))
  assert.deepEqual(frames.next().value, body)
  assert.equal(splitter.isInFrame, false)
  assert.equal(frames.next().value, 'short')
})
