/** Which fields of a kept row are up to date, and when the row must be read again. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import { KeptRows } from '../../../src/policy/kept-rows.ts'
import {
  rangeOf,
  readCount,
  readLastValue,
  readSeenItems,
  readTop,
  readUsual,
  readWindowCounts,
  type TrendQuery,
} from '../../../src/trends/read-trends.ts'
import { encodeRow, writeHeader, writeSegment } from '../../../src/trends/row-codec.ts'
import { splitRow } from '../../../src/trends/split-row.ts'
import type { TrendChange } from '../../../src/trends/trend-change.ts'
import type { TrendField } from '../../../src/trends/trend-definition.ts'
import type { TrendRow } from '../../../src/trends/trend-row.ts'
import {
  anyChange,
  bytesOf,
  defined,
  fieldOf,
  hashOf,
  rowAfter,
  rowOf,
  START_SECONDS,
} from '../../support/trend-fixtures.ts'

const EVERY_TYPE = defined()

/** Everything that a field can be asked. */
function answersOf(row: TrendRow, field: TrendField): unknown {
  const query: TrendQuery = { row, field, nowSeconds: START_SECONDS + 100, own: [] }
  return [
    readCount(query, rangeOf(query)),
    readWindowCounts(query, hashOf('a')),
    readSeenItems(query),
    readLastValue(query),
    readUsual(query),
    readTop(query, 10),
  ]
}

test('a field that is asked for now and then is what it would be if it had taken every change at once', () => {
  const steps = fc.array(
    fc.record({
      change: anyChange(EVERY_TYPE, 100),
      asked: fc.option(fc.constantFrom(...EVERY_TYPE.fields.values()), { freq: 3 }),
      /** How many of the changes the store has, when the row is read again. */
      stored: fc.integer({ min: 0, max: 80 }),
    }),
    { maxLength: 80, size: 'max' },
  )
  let kept = 0
  fc.assert(
    fc.property(steps, (taken) => {
      const rows = new KeptRows()
      const changes: TrendChange[] = []
      for (const { change, asked, stored } of taken) {
        changes.push(change)
        rows.change('row', [change])
        if (asked === null) continue
        let row = rows.get('row', asked)
        if (row === undefined) {
          const bytes = encodeRow(rowAfter(EVERY_TYPE, changes.slice(0, stored)))
          row = rowOf(EVERY_TYPE, bytes)
          rows.keep('row', asked, { row, sizeBytes: 0, watch: undefined, pending: changes.slice(stored) })
        } else {
          kept++
        }
        const expected = rowAfter(EVERY_TYPE, changes)
        assert.deepEqual(answersOf(row, asked), answersOf(expected, asked), asked.name)
        assert.equal(row.oldestWindow, expected.oldestWindow)
      }
    }),
    { numRuns: 500 },
  )
  assert.ok(kept > 500, `only ${kept} answers came from a row that was kept`)
})

test('is not read again for a field that nobody asks for, and once for one that somebody does', () => {
  const definition = defined()
  const [count, ips] = [fieldOf(definition, 'count'), fieldOf(definition, 'ips')]
  const change = (fieldId: number): TrendChange =>
    fieldId === count.id
      ? { op: 'int-add', fieldId, timeSeconds: START_SECONDS, amount: 1 }
      : { op: 'hll-add', fieldId, timeSeconds: START_SECONDS, hash: hashOf('x') }
  const rows = new KeptRows()
  const fresh = { row: rowOf(definition), sizeBytes: 0, watch: undefined, pending: [] }
  rows.keep('row', count, fresh)
  for (let run = 0; run < 1000; run++) rows.change('row', [change(ips.id)])
  assert.equal(rows.get('row', count), fresh.row)
  assert.equal(rows.get('row', ips), undefined)
  rows.keep('row', ips, { ...fresh, row: rowOf(definition) })
  rows.change('row', [change(ips.id)])
  const row = rows.get('row', ips)
  assert.ok(row !== undefined)
  assert.deepEqual(answersOf(row, ips), answersOf(rowAfter(definition, [change(ips.id)]), ips))
})

describe('a row with several fields', () => {
  const fields = [fieldOf(EVERY_TYPE, 'count'), fieldOf(EVERY_TYPE, 'devices'), fieldOf(EVERY_TYPE, 'ips')]
  const changeOf = ({ id, type }: TrendField, run: number): TrendChange => {
    const change = { fieldId: id, timeSeconds: START_SECONDS }
    if (type === 'int') return { ...change, op: 'int-add', amount: 1 }
    return type === 'hll'
      ? { ...change, op: 'hll-add', hash: hashOf(`${run}`) }
      : { ...change, op: 'seen-add', item: bytesOf(`${run}`), count: 1 }
  }
  for (const [lag, asked] of [
    [0, 3],
    [1, 2],
    [1, 3],
    [30, 3],
    [100, 1],
    [100, 2],
  ] as const) {
    test(`is seldom read again when ${asked} are asked for and ${lag} runs are not committed`, () => {
      const rows = new KeptRows()
      const changes: TrendChange[][] = []
      let reads = 0
      for (let run = 0; run < 500; run++) {
        rows.nextBatch()
        for (const field of fields.slice(0, asked)) {
          let row = rows.get('row', field)
          if (row === undefined) {
            reads++
            const committed = changes.slice(0, Math.max(0, run - lag))
            row = rowOf(EVERY_TYPE, encodeRow(rowAfter(EVERY_TYPE, committed.flat())))
            const pending = changes.slice(committed.length).flat()
            rows.keep('row', field, { row, sizeBytes: 0, watch: { isUnchanged: () => true }, pending })
          }
          assert.deepEqual(answersOf(row, field), answersOf(rowAfter(EVERY_TYPE, changes.flat()), field))
        }
        const ofRun = fields.map((field) => changeOf(field, run % 10))
        changes.push(ofRun)
        rows.change('row', ofRun)
      }
      assert.ok(reads < 40, `${reads} reads in 500 runs`)
    })
  }

  test('whose sketch stands apart is read again in the next batch', () => {
    const ips = fieldOf(EVERY_TYPE, 'ips')
    const items = Array.from({ length: 100 }, (_, item) => changeOf(ips, item))
    const row = rowOf(EVERY_TYPE, splitRow(rowAfter(EVERY_TYPE, items)).main)
    assert.ok(row.hasStoredChunks)
    const rows = new KeptRows()
    rows.keep('row', ips, { row, sizeBytes: 0, watch: { isUnchanged: () => true }, pending: [] })
    assert.equal(rows.get('row', ips), row)
    rows.nextBatch()
    assert.equal(rows.get('row', ips), undefined)
  })
})

describe('a row with a damaged field', () => {
  const [count, ips] = [fieldOf(EVERY_TYPE, 'count'), fieldOf(EVERY_TYPE, 'ips')]
  const timeSeconds = START_SECONDS
  const counted = { op: 'int-add', fieldId: count.id, timeSeconds, amount: 1 } as const
  const item = { op: 'hll-add', fieldId: ips.id, timeSeconds, hash: hashOf('x') } as const

  function damagedRow(): TrendRow {
    const writer = writeHeader(rowAfter(EVERY_TYPE, [counted]))
    const headBytes = writer.length
    // A window whose number goes on.
    writeSegment(writer, ips.id, Uint8Array.of(0x85))
    writer.writeBytes(encodeRow(rowAfter(EVERY_TYPE, [counted])).subarray(headBytes))
    return rowOf(EVERY_TYPE, writer.finish())
  }

  test('harms no run that changes it', () => {
    const rows = new KeptRows()
    rows.keep('row', ips, { row: damagedRow(), sizeBytes: 0, watch: undefined, pending: [] })
    rows.change('row', [item])
    assert.equal(rows.get('row', ips), undefined)
  })

  test('is not kept when that field cannot take what is pending: others would lack theirs', () => {
    const rows = new KeptRows()
    const pending = [item, counted]
    assert.throws(
      () => rows.keep('row', ips, { row: damagedRow(), sizeBytes: 0, watch: undefined, pending }),
      {
        code: 'TRK_TREND_DAMAGED',
      },
    )
    assert.equal(rows.get('row', count), undefined)
  })
})
