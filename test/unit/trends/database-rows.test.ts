import assert from 'node:assert/strict'
import fc from 'fast-check'
import { test } from 'node:test'
import { DatabaseRows } from '../../../src/trends/database-rows.ts'
import { encodeRow } from '../../../src/trends/row-codec.ts'
import { RowTable } from '../../../src/trends/row-table.ts'
import { RunChanges } from '../../../src/trends/run-changes.ts'
import { TrendRegistry } from '../../../src/trends/trend-registry.ts'
import type { TrendRow } from '../../../src/trends/trend-row.ts'
import { anyChange, bytesOf, defined, fieldOf, rowOf, START_SECONDS } from '../../support/trend-fixtures.ts'

const KEYS = Array.from({ length: 12 }, (_, index) => `key ${index}`)

test('rows that come and go between their two forms are what they would be if they stayed', () => {
  const definition = defined()
  const step = fc.record({
    key: fc.constantFrom(...KEYS),
    change: anyChange(definition, 60),
    isRead: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const rows = new DatabaseRows(definition, 2)
      const kept = new Map<string, TrendRow>()
      for (const { key, change, isRead } of steps) {
        rows.apply(key, [change])
        const row = kept.get(key) ?? rowOf(definition)
        row.apply(change)
        if (!row.isNew) kept.set(key, row)
        if (isRead) assert.deepEqual(storedContent(rows.read(key)), storedContent(row))
      }
      assert.equal(rows.size, kept.size)
      for (const [key, row] of kept) assert.deepEqual(storedContent(rows.read(key)), storedContent(row), key)
    }),
  )
})

/**
 * What is left of a row when it has been encoded twice: then what no window keeps any more is left out. In the order of the ids of its
 * fields: a field that was left out and comes again is the last one, and the first still where nobody had encoded the row.
 */
function storedContent(row: TrendRow): unknown {
  const { definition } = row
  const again = rowOf(definition, encodeRow(rowOf(definition, encodeRow(row))))
  const { newestSeconds, slots } = again.parts
  return [newestSeconds, [...slots].toSorted(([a], [b]) => a - b).map(([id, { segment }]) => [id, segment])]
}

const add = (key: string, timeSeconds: number, rows: DatabaseRows, definition = defined()): void =>
  rows.apply(key, [{ op: 'int-add', fieldId: fieldOf(definition, 'count').id, timeSeconds, amount: 1 }])

test('a row goes when it has expired, whichever form it has', () => {
  const definition = defined({ fields: new Map([['count', 'int']]) })
  const rows = new DatabaseRows(definition, 1)
  for (const [index, key] of ['a', 'b', 'c', 'd'].entries())
    add(key, START_SECONDS + index * 10, rows, definition)
  assert.ok(rows.coldBytes > 0)
  // Four windows of ten seconds.
  rows.expire(START_SECONDS + 40 + 19)
  assert.equal(rows.size, 2)
  assert.ok(rows.read('a').isNew && rows.read('b').isNew && !rows.read('c').isNew)
  rows.expire(START_SECONDS + 1000)
  assert.deepEqual({ size: rows.size, coldBytes: rows.coldBytes }, { size: 0, coldBytes: 0 })
})

test('beyond its size a database lets those go that expire first', () => {
  const definition = defined({ fields: new Map([['count', 'int']]), options: { maxKeys: 3 } })
  const rows = new DatabaseRows(definition, 1)
  for (const [index, key] of ['a', 'b', 'c', 'd', 'e'].entries())
    add(key, START_SECONDS + (key === 'a' ? 100 : index * 10), rows, definition)
  assert.equal(rows.size, 3)
  assert.deepEqual(
    ['a', 'b', 'c', 'd', 'e'].filter((key) => !rows.read(key).isNew),
    ['a', 'd', 'e'],
  )
})

test('asking for rows that are not there makes none', () => {
  const rows = new DatabaseRows(defined(), 2)
  for (const key of KEYS) assert.ok(rows.read(key).isNew)
  assert.equal(rows.size, 0)
})

test('more rows, or more bytes, than a table may have are refused with a sentence', () => {
  const registry = new TrendRegistry()
  const definition = defined()
  registry.adopt(definition)
  const changes = (key: string): RunChanges => {
    const made = new RunChanges()
    const fieldId = fieldOf(definition, 'count').id
    made.add('test', bytesOf(key), { op: 'int-add', fieldId, timeSeconds: START_SECONDS, amount: 1 })
    return made
  }
  const table = new RowTable(registry, { maxRows: 2, maxBytes: 1000 })
  for (const key of ['a', 'b', 'a']) table.apply(changes(key))
  assert.equal(table.size(definition), 2)
  assert.throws(() => table.apply(changes('c')), { code: 'TRK_REPLAY_LIMIT', message: /more than 2 rows/ })
})
