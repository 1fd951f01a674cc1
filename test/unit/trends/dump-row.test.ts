import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { dumpRow } from '../../../src/trends/dump-row.ts'
import { rangeOf, readCount, readSeenItems, readTop } from '../../../src/trends/read-trends.ts'
import type { TrendChange } from '../../../src/trends/trend-change.ts'
import type { TrendDefinition } from '../../../src/trends/trend-definition.ts'
import type { TrendRow } from '../../../src/trends/trend-row.ts'
import {
  anyChange,
  bytesOf,
  defined,
  fieldOf,
  rowAfter,
  START_SECONDS,
} from '../../support/trend-fixtures.ts'

interface DumpedField {
  readonly type: string
  readonly value?: unknown
  readonly time?: number
  readonly windows?: readonly (readonly [start: number, count: number])[]
  readonly items?: readonly { readonly item: string }[]
  readonly hours?: readonly { readonly hour: number; readonly mean: number }[]
}

interface DumpedLine {
  readonly key: string
  readonly expires: number
  readonly part?: number
  readonly parts?: number
  readonly fields: Readonly<Record<string, DumpedField>>
}

function dumped(row: TrendRow, nowSeconds = START_SECONDS): readonly DumpedLine[] {
  return dumpRow(row, bytesOf('ann'), nowSeconds).map((line) => JSON.parse(line) as DumpedLine)
}

test('a line says what reading each field says', () => {
  const definition = defined()
  const changes = fc.array(anyChange(definition, 60), { maxLength: 40 })
  fc.assert(
    fc.property(changes, fc.integer({ min: 0, max: 90 }), (made, later) => {
      const row = rowAfter(definition, made)
      const nowSeconds = START_SECONDS + later
      const lines = dumped(row, nowSeconds)
      assert.equal(lines.length, 1)
      const { key, expires, part, fields } = lines[0] ?? assert.fail()
      assert.deepEqual([key, expires, part], ['ann', row.expiresAtSeconds, undefined])
      assert.deepEqual(Object.keys(fields), [...definition.fields.keys()])
      const query = (name: string) => ({ row, field: fieldOf(definition, name), nowSeconds, own: [] })
      for (const name of ['count', 'ips', 'proto']) {
        const { value, windows = [] } = fields[name] ?? assert.fail()
        assert.ok(typeof value === 'number')
        assert.equal(value, readCount(query(name), rangeOf(query(name))))
        const sum = windows.reduce((total, [, count]) => total + count, 0)
        if (name !== 'ips') assert.ok(Math.abs(sum - value) < 1e-6 * Math.max(1, Math.abs(sum)))
        assert.ok(windows.every(([start]) => start % 10 === 0 && start <= nowSeconds))
      }
      assert.equal(fields['devices']?.items?.length, readSeenItems(query('devices')).length)
      assert.equal(fields['hitters']?.items?.length, readTop(query('hitters'), 1000).length)
    }),
  )
})

test('a value of each type is there', () => {
  const definition = defined()
  const line = dumped(exampleRow(definition))[0]
  assert.deepEqual(line?.fields['count'], { type: 'int', value: 3, windows: [[START_SECONDS, 3]] })
  assert.deepEqual(line?.fields['devices'], {
    type: 'seen',
    items: [{ item: 'phone', first: START_SECONDS, last: START_SECONDS, count: 1 }],
  })
  assert.equal(line?.fields['usual']?.hours?.[0]?.mean, 7)
})

test('a row that is too large for a line is spread over several, and nothing is lost', () => {
  const definition = defined({ options: { maxItemsPerKey: 4096 } })
  const field = fieldOf(definition, 'devices')
  const names = Array.from({ length: 500 }, (_, index) => `${index}-${'é'.repeat(200)}`)
  const row = rowAfter(
    definition,
    names.map((name) => ({
      op: 'seen-add',
      fieldId: field.id,
      timeSeconds: START_SECONDS,
      item: bytesOf(name),
      count: 1,
    })),
  )
  const lines = dumpRow(row, bytesOf('ann'), START_SECONDS)
  assert.ok(lines.length > 3)
  for (const line of lines) assert.ok(Buffer.byteLength(line) < 34_000, `${Buffer.byteLength(line)} bytes`)
  const parsed = dumped(row)
  assert.deepEqual(
    parsed.map(({ key, part, parts }) => ({ key, part, parts })),
    parsed.map((_, index) => ({ key: 'ann', part: index + 1, parts: parsed.length })),
  )
  const items = parsed.flatMap(({ fields }) => fields['devices']?.items ?? [])
  assert.deepEqual(items.map(({ item }) => item).toSorted(), names.toSorted())
})

function exampleRow(definition: TrendDefinition): TrendRow {
  const at = { timeSeconds: START_SECONDS }
  const changes: readonly TrendChange[] = [
    { op: 'int-add', fieldId: fieldOf(definition, 'count').id, amount: 3, ...at },
    { op: 'seen-add', fieldId: fieldOf(definition, 'devices').id, item: bytesOf('phone'), count: 1, ...at },
    { op: 'baseline-add', fieldId: fieldOf(definition, 'usual').id, sample: 7, ...at },
  ]
  return rowAfter(definition, changes)
}
