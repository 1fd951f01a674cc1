import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { DueHeap } from '../../../src/store/embedded/due-heap.ts'
import { textHash } from '../../../src/store/embedded/text-hash.ts'
import { textToBytes } from '../../support/text-bytes.ts'

const HASHES = [3954623016, 2194710307] as const

test('the earliest comes first, and of equal times the oldest, whatever is added in between', () => {
  const step = fc.oneof(fc.constant('take' as const), fc.nat(20))
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const heap = new DueHeap()
      let expected: { id: number; atMs: number }[] = []
      for (const [id, atMs] of steps.entries()) {
        if (atMs === 'take') {
          assert.deepEqual(heap.first(), expected[0])
          heap.removeFirst()
          expected = expected.slice(1)
        } else {
          heap.add({ id, atMs })
          expected = [...expected, { id, atMs }].toSorted((a, b) => a.atMs - b.atMs || a.id - b.id)
        }
        assert.equal(heap.size, expected.length)
      }
    }),
  )
})

test('the hash of the history index is the same in every version', () => {
  assert.equal(textHash(textToBytes('')), HASHES[0])
  assert.equal(textHash(textToBytes('ann@example.com')), HASHES[1])
})

test('the hash spreads similar logins', () => {
  const hashes = new Set(Array.from({ length: 20_000 }, (_, index) => textHash(textToBytes(`user${index}`))))
  assert.equal(hashes.size, 20_000)
  const buckets = new Uint32Array(64)
  for (const hash of hashes) {
    const at = hash >>> 26
    buckets[at] = (buckets[at] ?? 0) + 1
  }
  assert.ok(
    Math.max(...buckets) < 450 && Math.min(...buckets) > 200,
    `${Math.min(...buckets)} to ${Math.max(...buckets)}`,
  )
})
