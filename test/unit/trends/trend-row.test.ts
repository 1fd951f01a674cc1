import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { readLast } from '../../../src/trends/last-value.ts'
import {
  currentRangeOf,
  rangeOf,
  readCount,
  readLastValue,
  readSeenItem,
  readSeenItems,
  readTop,
  readUsual,
  readWindowCounts,
  type TrendQuery,
} from '../../../src/trends/read-trends.ts'
import { encodeRow } from '../../../src/trends/row-codec.ts'
import type { TrendChange } from '../../../src/trends/trend-change.ts'
import { windowAt, type TrendDefinition } from '../../../src/trends/trend-definition.ts'
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

const DEFINITION = defined()
const SPAN_SECONDS = 100
const anyChanges = fc.array(anyChange(DEFINITION, SPAN_SECONDS), { maxLength: 50 })
const anyNow = fc.integer({ min: 0, max: SPAN_SECONDS * 3 }).map((thirds) => START_SECONDS + thirds / 3)

/** Keeps every event and computes each answer from all of them. */
class NaiveRow {
  readonly #definition: TrendDefinition
  #events: TrendChange[] = []
  #newest = -Infinity

  constructor(definition: TrendDefinition) {
    this.#definition = definition
  }

  apply(change: TrendChange): 'applied' | 'out-of-range' {
    const isWindowed = ['int-add', 'hll-add', 'countmin-add', 'top-add'].includes(change.op)
    if (isWindowed && windowAt(this.#definition, change.timeSeconds) < this.oldest()) return 'out-of-range'
    if (change.op === 'touch' && this.#newest === -Infinity) return 'applied'
    if (change.op === 'reset') this.#events = []
    else if (change.op === 'reset-field')
      this.#events = this.#events.filter((event) => event.fieldId !== change.fieldId)
    else this.#events.push(change)
    this.#newest = Math.max(this.#newest, change.timeSeconds)
    return 'applied'
  }

  oldest(): number {
    return windowAt(this.#definition, this.#newest) - this.#definition.windowCount + 1
  }

  within(op: TrendChange['op'], oldest: number, newest: number): readonly TrendChange[] {
    const from = Math.max(oldest, this.oldest())
    return this.#events.filter((event) => {
      const window = windowAt(this.#definition, event.timeSeconds)
      return event.op === op && window >= from && window <= newest
    })
  }

  all(op: TrendChange['op']): readonly TrendChange[] {
    return this.#events.filter((event) => event.op === op)
  }
}

function amountOf(change: TrendChange, hash?: number): number {
  if (change.op === 'countmin-add') return hash === undefined || change.hash === hash ? change.amount : 0
  return change.op === 'int-add' || change.op === 'top-add' ? change.amount : 0
}

function sum(changes: readonly TrendChange[], hash?: number): number {
  return changes.reduce((total, change) => total + amountOf(change, hash), 0)
}

function distinct(changes: readonly TrendChange[]): number {
  return new Set(changes.map((change) => (change.op === 'hll-add' ? change.hash : 0))).size
}

/** Everything that can be asked of a row, for comparing two of them. */
function answers(row: TrendRow, nowSeconds: number, own: readonly TrendChange[] = []): unknown {
  const ask = (name: string): TrendQuery => ({ row, field: fieldOf(row.definition, name), nowSeconds, own })
  const range = rangeOf({ row, nowSeconds })
  return {
    counts: ['count', 'ips', 'proto'].map((name) => [
      readCount(ask(name), range),
      readCount(ask(name), currentRangeOf({ row, nowSeconds })),
      readWindowCounts(ask(name)),
      readCount(ask(name), range, hashOf('a')),
    ]),
    seen: readSeenItems(ask('devices')).map(({ item, ...rest }) => ({
      item: Buffer.from(item).toString(),
      ...rest,
    })),
    last: readLastValue(ask('place')),
    usual: readUsual(ask('usual')),
    top: readTop(ask('hitters'), 10).map(({ item, ...rest }) => ({
      item: Buffer.from(item).toString(),
      ...rest,
    })),
  }
}

test('windows, sums, sketches and latest values agree with a row that keeps every event', () => {
  fc.assert(
    fc.property(anyChanges, anyNow, (changes, nowSeconds) => {
      const row = rowOf(DEFINITION)
      const naive = new NaiveRow(DEFINITION)
      for (const change of changes) assert.equal(row.apply(change), naive.apply(change))
      const ask = (name: string): TrendQuery => ({
        row,
        field: fieldOf(DEFINITION, name),
        nowSeconds,
        own: [],
      })
      const { oldest, newest } = rangeOf({ row, nowSeconds })

      assert.equal(readCount(ask('count'), { oldest, newest }), sum(naive.within('int-add', oldest, newest)))
      assert.equal(
        readCount(ask('ips'), { oldest, newest }),
        distinct(naive.within('hll-add', oldest, newest)),
      )
      const proto = naive.within('countmin-add', oldest, newest)
      assert.equal(readCount(ask('proto'), { oldest, newest }), sum(proto))
      assert.equal(readCount(ask('proto'), { oldest, newest }, hashOf('a')), sum(proto, hashOf('a')))
      const current = currentRangeOf({ row, nowSeconds })
      assert.equal(readCount(ask('count'), current), sum(naive.within('int-add', newest, newest)))
      const windows = [0, 1, 2, 3].map((age) => newest - age)
      assert.deepEqual(
        readWindowCounts(ask('count')),
        windows.map((window) => sum(naive.within('int-add', window, window))),
      )
      assert.deepEqual(
        readWindowCounts(ask('ips')),
        windows.map((window) => distinct(naive.within('hll-add', window, window))),
      )
      const top = naive.within('top-add', oldest, newest)
      assert.equal(
        readTop(ask('hitters'), 10).reduce((total, { count }) => total + count, 0),
        sum(top),
      )

      let last: TrendChange | undefined
      for (const set of naive.all('last-set')) if (set.timeSeconds >= (last?.timeSeconds ?? 0)) last = set
      assert.equal(readLastValue(ask('place'))?.time, last?.timeSeconds)
    }),
    { numRuns: 200 },
  )
})

test('a row gives the same answers after any number of encodings on the way', () => {
  fc.assert(
    fc.property(anyChanges, fc.integer({ min: 1, max: 7 }), anyNow, (changes, every, nowSeconds) => {
      let row = rowOf(DEFINITION)
      const straight = rowOf(DEFINITION)
      for (const [index, change] of changes.entries()) {
        assert.equal(row.apply(change), straight.apply(change))
        if (index % every === 0) row = rowOf(DEFINITION, encodeRow(row))
      }
      assert.deepEqual(answers(row, nowSeconds), answers(straight, nowSeconds))
      assert.equal(row.expiresAtSeconds, straight.expiresAtSeconds)
    }),
  )
})

test('a run sees its own changes as if they were applied, and the row keeps none of them', () => {
  fc.assert(
    fc.property(anyChanges, anyChanges, anyNow, (stored, own, nowSeconds) => {
      const row = rowOf(DEFINITION, encodeRow(rowAfter(DEFINITION, stored)))
      const before = encodeRow(row)
      assert.deepEqual(
        answers(row, nowSeconds, own),
        answers(rowAfter(DEFINITION, [...stored, ...own]), nowSeconds),
      )
      assert.deepEqual(encodeRow(row), before)
      assert.deepEqual(answers(row, nowSeconds), answers(rowAfter(DEFINITION, stored), nowSeconds))
    }),
  )
})

test('seen answers for one item, a reset forgets all, and unknown items are undefined', () => {
  const fieldId = fieldOf(DEFINITION, 'devices').id
  const row = rowAfter(DEFINITION, [
    { op: 'seen-add', fieldId, timeSeconds: START_SECONDS, item: bytesOf('a'), count: 2 },
  ])
  const query = { row, field: fieldOf(DEFINITION, 'devices'), nowSeconds: START_SECONDS, own: [] }
  assert.equal(readSeenItem(query, bytesOf('a'))?.count, 2)
  assert.equal(readSeenItem(query, bytesOf('b')), undefined)
  row.apply({ op: 'reset', fieldId: 0, timeSeconds: START_SECONDS + 1 })
  assert.equal(readSeenItem(query, bytesOf('a')), undefined)
})

test('a change that cannot be applied is named and leaves the row as it was', () => {
  const row = rowAfter(DEFINITION, [])
  const empty = encodeRow(row)
  const id = (name: string): number => fieldOf(DEFINITION, name).id
  for (const [change, outcome] of [
    [{ op: 'int-add', fieldId: 1, timeSeconds: 5, amount: 1 }, 'unknown-field'],
    [{ op: 'int-add', fieldId: id('ips'), timeSeconds: 5, amount: 1 }, 'bad-value'],
    [{ op: 'int-add', fieldId: id('count'), timeSeconds: 5, amount: Infinity }, 'bad-value'],
    [{ op: 'int-add', fieldId: id('count'), timeSeconds: Number.NaN, amount: 1 }, 'bad-value'],
    [{ op: 'int-add', fieldId: id('count'), timeSeconds: -1, amount: 1 }, 'bad-value'],
    [{ op: 'countmin-add', fieldId: id('proto'), timeSeconds: 5, hash: 1, amount: -1 }, 'bad-value'],
    [{ op: 'top-add', fieldId: id('hitters'), timeSeconds: 5, item: bytesOf('x'), amount: 0 }, 'bad-value'],
    [{ op: 'baseline-add', fieldId: id('usual'), timeSeconds: 5, sample: Number.NaN }, 'bad-value'],
    [{ op: 'reset', fieldId: 0, timeSeconds: Infinity }, 'bad-value'],
  ] as const satisfies readonly (readonly [TrendChange, string])[]) {
    assert.equal(row.apply(change), outcome)
  }
  assert.deepEqual(encodeRow(row), empty)
})

test('integers stay exact up to 2^53, and fractions stay what they are', () => {
  const fieldId = fieldOf(DEFINITION, 'count').id
  for (const amount of [2 ** 53 - 1, -(2 ** 53) + 1, 0.1, -1e300, 2 ** 51, 127, -64]) {
    const row = rowAfter(DEFINITION, [{ op: 'int-add', fieldId, timeSeconds: START_SECONDS, amount }])
    const read = rowOf(DEFINITION, encodeRow(row))
    const query = { row: read, field: fieldOf(DEFINITION, 'count'), nowSeconds: START_SECONDS, own: [] }
    assert.equal(readCount(query, rangeOf(query)), amount)
  }
})

test('a row expires with the range of its newest window, or after 400 days where something lasts', () => {
  const fieldId = fieldOf(DEFINITION, 'count').id
  const row = rowAfter(DEFINITION, [{ op: 'int-add', fieldId, timeSeconds: START_SECONDS + 3.5, amount: 1 }])
  assert.equal(row.expiresAtSeconds, START_SECONDS + 40)
  row.apply({ op: 'int-add', fieldId, timeSeconds: START_SECONDS + 9.9, amount: 1 })
  assert.equal(row.expiresAtSeconds, START_SECONDS + 40, 'it must not move within one window')
  const query = { row, field: fieldOf(DEFINITION, 'count'), own: [] }
  assert.equal(
    readCount(
      { ...query, nowSeconds: START_SECONDS + 39.9 },
      rangeOf({ row, nowSeconds: START_SECONDS + 39.9 }),
    ),
    2,
  )
  assert.equal(
    readCount({ ...query, nowSeconds: START_SECONDS + 40 }, rangeOf({ row, nowSeconds: START_SECONDS + 40 })),
    0,
  )

  const value = Uint8Array.of(5)
  row.apply({
    op: 'last-set',
    fieldId: fieldOf(DEFINITION, 'place').id,
    timeSeconds: START_SECONDS + 9,
    value,
  })
  assert.equal(row.expiresAtSeconds, START_SECONDS + 10 + 400 * 86_400)
  const place = { row, field: fieldOf(DEFINITION, 'place'), own: [] }
  assert.equal(readLastValue({ ...place, nowSeconds: row.expiresAtSeconds - 1 })?.value, true)
  assert.equal(readLastValue({ ...place, nowSeconds: row.expiresAtSeconds }), undefined)
  assert.equal(readLast(new Uint8Array(0)), undefined)
})
