import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createMemoryOutbox } from '../../../src/delivery/memory-outbox.ts'

const NOW = 1000
const now = (): number => NOW

test('entries leave in the order in which they are due, and those due together as they came', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 60 }), async (delays) => {
      const outbox = createMemoryOutbox({ now }, { maxEntries: 100 })
      for (const [index] of delays.entries()) outbox.add({ hook: 'a', body: String(index) })
      const first = await outbox.claimDue('a', NOW, 100)
      for (const [index, entry] of first.entries.entries()) {
        await outbox.settle(entry.id, { kind: 'retry', tries: 1, nextTryAtMs: NOW + (delays[index] ?? 0) })
      }
      const claimed = await outbox.claimDue('a', NOW + 20, 100)
      const expected = [...delays.entries()].toSorted(([i, a], [j, b]) => a - b || i - j)
      assert.deepEqual(
        claimed.entries.map((entry) => entry.body),
        expected.map(([index]) => String(index)),
      )
    }),
    { numRuns: 50 },
  )
})

test('a claimed entry is not handed out again until it is settled, and keeps its id', async () => {
  const outbox = createMemoryOutbox({ now }, { maxEntries: 10 })
  outbox.add({ hook: 'a', body: 'x' })
  const { entries } = await outbox.claimDue('a', NOW, 5)
  const [entry] = entries
  assert.ok(entry)
  assert.deepEqual(await outbox.claimDue('a', NOW, 5), { entries: [], nextDueAtMs: undefined })
  await outbox.settle(entry.id, { kind: 'retry', tries: 1, nextTryAtMs: NOW + 500 })
  assert.deepEqual(await outbox.claimDue('a', NOW + 499, 5), { entries: [], nextDueAtMs: NOW + 500 })
  const again = await outbox.claimDue('a', NOW + 500, 5)
  assert.deepEqual(again.entries, [{ ...entry, tries: 1, nextTryAtMs: NOW + 500 }])
})

test('one hook never gets the entries of another', async () => {
  const outbox = createMemoryOutbox({ now }, { maxEntries: 10 })
  outbox.add({ hook: 'a', body: '' })
  assert.deepEqual((await outbox.claimDue('b', NOW, 5)).entries, [])
})

test('a full outbox refuses and tells its observer, and takes more once an entry is settled', async () => {
  const outbox = createMemoryOutbox({ now }, { maxEntries: 1 })
  const events: string[] = []
  outbox.watch({
    onQueued: (hook) => events.push(`queued ${hook}`),
    onRefused: (hook) => events.push(`refused ${hook}`),
  })
  assert.equal(outbox.add({ hook: 'a', body: '' }), 'queued')
  const { entries } = await outbox.claimDue('a', NOW, 1)
  assert.equal(outbox.add({ hook: 'b', body: '' }), 'full')
  assert.equal(outbox.size, 1)
  for (const entry of entries) await outbox.settle(entry.id, { kind: 'delivered', tries: 1 })
  assert.equal(outbox.size, 0)
  assert.equal(outbox.add({ hook: 'b', body: '' }), 'queued')
  assert.deepEqual(events, ['queued a', 'refused b', 'queued b'])
})

test('bodies are bounded by their size too, and a dead entry gives its room back', async () => {
  const outbox = createMemoryOutbox({ now }, { maxEntries: 10, maxSizeBytes: 5 })
  assert.equal(outbox.add({ hook: 'a', body: '12345' }), 'queued')
  assert.equal(outbox.add({ hook: 'a', body: '6' }), 'full')
  const [entry] = (await outbox.claimDue('a', NOW, 1)).entries
  assert.ok(entry)
  await outbox.settle(entry.id, { kind: 'dead', tries: 1, reason: 'refused' })
  assert.equal(outbox.add({ hook: 'a', body: '6' }), 'queued')
})

test('settling twice changes nothing', async () => {
  const outbox = createMemoryOutbox({ now }, { maxEntries: 10 })
  outbox.add({ hook: 'a', body: '' })
  const [entry] = (await outbox.claimDue('a', NOW, 1)).entries
  assert.ok(entry)
  await outbox.settle(entry.id, { kind: 'delivered', tries: 1 })
  await outbox.settle(entry.id, { kind: 'delivered', tries: 1 })
  assert.equal(outbox.size, 0)
})
