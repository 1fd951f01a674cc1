import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { decodeChanges, encodeChanges } from '../../../src/trends/change-codec.ts'
import { encodeRow } from '../../../src/trends/row-codec.ts'
import { RunChanges } from '../../../src/trends/run-changes.ts'
import type { RowChanges, TrendChange } from '../../../src/trends/trend-change.ts'
import {
  anyChange,
  bytesOf,
  defined,
  fieldOf,
  hashOf,
  rowAfter,
  START_SECONDS,
} from '../../support/trend-fixtures.ts'

const DEFINITION = defined()
const KEY = bytesOf('user')
/** Changes of one run mostly share one time. */
const oneTime = anyChange(DEFINITION, 60).map((change) => ({ ...change, timeSeconds: START_SECONDS + 60 }))
const anyRun = fc.array(fc.oneof({ weight: 3, arbitrary: oneTime }, anyChange(DEFINITION, 60)), {
  maxLength: 40,
})
const anyStored = fc.array(anyChange(DEFINITION, 60), { maxLength: 20 })

function coalesced(changes: readonly TrendChange[]): RunChanges {
  const run = new RunChanges()
  for (const change of changes) assert.ok(run.add('test', KEY, change))
  return run
}

test('coalesced changes have the effect of all of them one by one', () => {
  fc.assert(
    fc.property(anyStored, anyRun, (stored, changes) => {
      const together = rowAfter(DEFINITION, [...stored, ...coalesced(changes).of('test', KEY)])
      assert.deepEqual(encodeRow(together), encodeRow(rowAfter(DEFINITION, [...stored, ...changes])))
    }),
    { numRuns: 300 },
  )
})

test('a change that a reset forgets is kept where it decides whether an older one is in range', () => {
  const [count, proto] = ['count', 'proto'].map((name) => fieldOf(DEFINITION, name).id)
  const changes: TrendChange[] = [
    { op: 'int-add', fieldId: count ?? 0, timeSeconds: START_SECONDS + 60, amount: 1 },
    { op: 'countmin-add', fieldId: proto ?? 0, timeSeconds: START_SECONDS, hash: 1, amount: 1 },
    { op: 'reset-field', fieldId: count ?? 0, timeSeconds: START_SECONDS + 60 },
  ]
  const together = rowAfter(DEFINITION, coalesced(changes).of('test', KEY))
  assert.deepEqual(encodeRow(together), encodeRow(rowAfter(DEFINITION, changes)))
})

test('changes that amount to one are kept as one', () => {
  const id = (name: string): number => fieldOf(DEFINITION, name).id
  const timeSeconds = START_SECONDS
  const one = (change: TrendChange, count: number): void => {
    assert.equal(coalesced([change, change, change]).size, count, change.op)
  }
  one({ op: 'int-add', fieldId: id('count'), timeSeconds, amount: 2 }, 1)
  one({ op: 'hll-add', fieldId: id('ips'), timeSeconds, hash: hashOf('a') }, 1)
  one({ op: 'countmin-add', fieldId: id('proto'), timeSeconds, hash: hashOf('a'), amount: 1 }, 1)
  one({ op: 'seen-add', fieldId: id('devices'), timeSeconds, item: bytesOf('a'), count: 1 }, 1)
  one({ op: 'top-add', fieldId: id('hitters'), timeSeconds, item: bytesOf('a'), amount: 1 }, 1)
  one({ op: 'last-set', fieldId: id('place'), timeSeconds, value: Uint8Array.of(5) }, 1)
  one({ op: 'reset', fieldId: 0, timeSeconds }, 1)
  one({ op: 'baseline-add', fieldId: id('usual'), timeSeconds, sample: 1 }, 3)
})

test('rows of different databases and keys are kept apart', () => {
  const run = new RunChanges()
  const change: TrendChange = { op: 'int-add', fieldId: 9, timeSeconds: 1, amount: 1 }
  run.add('a', bytesOf('bc'), change)
  run.add('ab', bytesOf('c'), change)
  run.add('a', Uint8Array.of(0xff), change)
  assert.equal(run.size, 3)
  assert.equal([...run.rows()].length, 3)
  assert.deepEqual(run.of('ab', bytesOf('c')), [change])
  assert.deepEqual(run.of('ab', bytesOf('cd')), [])
})

test('a run cannot hold more than 50,000 changes', () => {
  const run = new RunChanges()
  let accepted = 0
  for (let key = 0; key < 50_010; key++) {
    const bytes = Uint8Array.of(key, key >>> 8, key >>> 16)
    if (run.add('db', bytes, { op: 'int-add', fieldId: 1, timeSeconds: 1, amount: 1 })) accepted += 1
  }
  assert.equal(accepted, 50_000)
})

const anyRows: fc.Arbitrary<readonly RowChanges[]> = fc.array(
  fc.record(
    {
      database: fc.constantFrom('OneDay', 'Größe', 'x'.repeat(64), '日本'),
      key: fc.uint8Array({ maxLength: 200 }),
      changes: fc.array(anyChange(DEFINITION, 60), { minLength: 1, maxLength: 10 }),
    },
    { noNullPrototype: true },
  ),
  { minLength: 1, maxLength: 4 },
)

test('changes come out of their encoding as they went in', () => {
  fc.assert(
    fc.property(anyRows, (rows) => {
      const decoded = decodeChanges(encodeChanges(rows))
      assert.ok(decoded.ok)
      assert.deepEqual(decoded.rows, rows)
    }),
  )
  assert.equal(new RunChanges().encode().length, 0)
  assert.deepEqual(decodeChanges(new Uint8Array(0)), { ok: true, rows: [] })
})

test('changes whose bytes were changed or cut anywhere are refused with a reason', () => {
  fc.assert(
    fc.property(anyRows, fc.nat(), fc.integer({ min: 1, max: 255 }), (rows, place, flip) => {
      const bytes = encodeChanges(rows)
      const at = place % bytes.length
      const flipped = decodeChanges(bytes.with(at, (bytes[at] ?? 0) ^ flip))
      assert.ok(!flipped.ok && flipped.reason.startsWith('trend changes cannot be read: '))
      assert.ok(at === 0 || !decodeChanges(bytes.subarray(0, at)).ok)
    }),
  )
})
