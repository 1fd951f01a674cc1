import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { createTrendApplier } from '../../../src/store/apply-trends.ts'
import { encodeChanges } from '../../../src/trends/change-codec.ts'
import { readWindowCounts } from '../../../src/trends/read-trends.ts'
import { chunksToApply, loadChunks } from '../../../src/trends/row-chunks.ts'
import type { TrendChange } from '../../../src/trends/trend-change.ts'
import type { TrendDefinition } from '../../../src/trends/trend-definition.ts'
import type { TrendRow } from '../../../src/trends/trend-row.ts'
import { bytesOf, defined, fieldOf, hashOf, rowOf, START_SECONDS } from '../../support/trend-fixtures.ts'

const DEFINITION = defined()
const KEY = bytesOf('user')

/** What a store keeps of one row, and does with it. */
class OneRow {
  bytes: Uint8Array | undefined
  expiresAtMs = 0
  chunks: ReadonlyMap<string, Uint8Array> = new Map()

  commit(definition: TrendDefinition, changes: readonly TrendChange[]): void {
    const applier = createTrendApplier({ definitions: [definition] })
    const split = applier.split(encodeChanges([{ database: definition.name, key: KEY, changes }]))
    const { bytes } = this
    const current =
      bytes === undefined ? undefined : { bytes, chunk: (name: string) => this.chunks.get(name) }
    const after = applier.apply(
      definition.name,
      KEY,
      current,
      split.map((row) => row.changes),
    )
    const known = new Map([
      ...this.chunks,
      ...after.chunks.map((chunk) => [chunk.name, chunk.bytes] as const),
    ])
    this.bytes = after.bytes
    this.chunks = new Map([...known].filter(([name]) => after.chunkNames.includes(name)))
    assert.equal(this.chunks.size, after.chunkNames.length, 'every chunk that a row names is there')
    this.expiresAtMs = after.expiresAtMs
  }

  read(definition: TrendDefinition): TrendRow {
    const row = rowOf(definition, this.bytes)
    const missing = row.missingChunks(fieldOf(definition, 'ips'))
    const all = [...missing, ...chunksToApply(row, [])]
    assert.equal(
      loadChunks(row, all, (name) => this.chunks.get(name)),
      undefined,
    )
    return row
  }
}

function counts(row: TrendRow, nowSeconds: number): readonly number[] {
  return readWindowCounts({ row, field: fieldOf(row.definition, 'ips'), nowSeconds, own: [] })
}

function additions(from: number, items: number, timeSeconds: number): readonly TrendChange[] {
  const fieldId = fieldOf(DEFINITION, 'ips').id
  return Array.from({ length: items }, (_, index) => ({
    op: 'hll-add',
    fieldId,
    timeSeconds,
    hash: hashOf(`item ${from + index}`),
  }))
}

test('rows in parts hold what a whole row would, whatever windows the changes of one batch go to', () => {
  const part = fc.record({
    items: fc.integer({ min: 1, max: 120 }),
    seconds: fc.integer({ min: 0, max: 60 }),
  })
  const batches = fc.array(fc.array(part, { minLength: 1, maxLength: 4 }), { maxLength: 8, size: 'max' })
  fc.assert(
    fc.property(batches, (steps) => {
      const store = new OneRow()
      const whole = rowOf(DEFINITION)
      let item = 0
      for (const step of steps) {
        const changes = step.flatMap(({ items, seconds }) => {
          item += items
          return additions(item % 700, items, START_SECONDS + seconds)
        })
        store.commit(DEFINITION, changes)
        for (const change of changes) whole.apply(change)
      }
      assert.deepEqual(counts(store.read(DEFINITION), START_SECONDS + 60), counts(whole, START_SECONDS + 60))
    }),
    { numRuns: 60 },
  )
})

test('a row in parts is brought to another window size by its next change', () => {
  const store = new OneRow()
  for (let window = 0; window < 4; window++)
    store.commit(DEFINITION, additions(window * 100, 100, START_SECONDS + window * 10))
  assert.equal(store.chunks.size, 4)
  const wide = defined({ windowSeconds: 20, windowCount: 2 })
  store.commit(wide, additions(400, 1, START_SECONDS + 39))
  assert.equal(store.chunks.size, 2)
  assert.deepEqual(counts(store.read(wide), START_SECONDS + 39), [201, 200])
})

test('a reading keeps a row, and makes none', () => {
  const touch: TrendChange = { op: 'touch', fieldId: 0, timeSeconds: START_SECONDS + 3600 }
  const store = new OneRow()
  store.commit(DEFINITION, [touch])
  assert.equal(store.bytes, undefined)
  store.commit(DEFINITION, additions(0, 1, START_SECONDS))
  const before = store.expiresAtMs
  store.commit(DEFINITION, [touch])
  assert.ok(store.bytes !== undefined && store.expiresAtMs === before + 3_600_000)
})
