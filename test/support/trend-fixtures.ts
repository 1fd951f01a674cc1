/**
 * Definitions, rows and random changes for tests of trends.
 */
import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { itemHash } from '../../src/trends/item-hash.ts'
import { encodeLastValue } from '../../src/trends/last-value.ts'
import { decodeRow } from '../../src/trends/row-codec.ts'
import type { TrendChange } from '../../src/trends/trend-change.ts'
import {
  parseTrendDefinition,
  type TrendDefinition,
  type TrendDefinitionInput,
  type TrendField,
} from '../../src/trends/trend-definition.ts'
import type { TrendRow } from '../../src/trends/trend-row.ts'

export const SEED = { low: 0x01234567, high: 0x89abcdef }
/** A whole number of hours, so that windows of 10 s up to an hour begin here. */
export const START_SECONDS = 1_799_996_400
export const ALL_FIELDS: ReadonlyMap<string, string> = new Map([
  ['count', 'int'],
  ['ips', 'hll'],
  ['proto', 'countmin'],
  ['devices', 'seen'],
  ['place', 'last'],
  ['usual', 'baseline'],
  ['hitters', 'top'],
])

export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

export function hashOf(text: string): number {
  return itemHash(SEED, bytesOf(text))
}

/** Four windows of ten seconds with a field of each type, unless told otherwise. */
export function defined(input: Partial<TrendDefinitionInput> = {}): TrendDefinition {
  const outcome = parseTrendDefinition({
    name: 'test',
    windowSeconds: 10,
    windowCount: 4,
    fields: ALL_FIELDS,
    options: { maxItemsPerKey: 4 },
    ...input,
  })
  assert.ok(outcome.ok, outcome.ok ? '' : outcome.reason)
  return outcome.definition
}

export function fieldOf(definition: TrendDefinition, name: string): TrendField {
  const field = definition.fields.get(name)
  assert.ok(field !== undefined, `no field ${name}`)
  return field
}

export function rowOf(definition: TrendDefinition, bytes?: Uint8Array): TrendRow {
  const decoded = decodeRow(definition, bytes)
  assert.ok(decoded.ok, decoded.ok ? '' : decoded.reason)
  return decoded.row
}

/** A row to which changes were applied, ignored ones included. */
export function rowAfter(definition: TrendDefinition, changes: readonly TrendChange[]): TrendRow {
  const row = rowOf(definition)
  for (const change of changes) row.apply(change)
  return row
}

/** Any change to one of the fields of ALL_FIELDS, within `spanSeconds` of the start; resets are rare. */
export function anyChange(definition: TrendDefinition, spanSeconds: number): fc.Arbitrary<TrendChange> {
  const time = fc.integer({ min: 0, max: spanSeconds * 4 }).map((quarters) => START_SECONDS + quarters / 4)
  const item = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f')
  const amount = fc.integer({ min: 1, max: 9 })
  const id = (name: string): number => fieldOf(definition, name).id
  const base = fc.record({ timeSeconds: time, item, amount })
  const change = (
    weight: number,
    make: (drawn: { timeSeconds: number; item: string; amount: number }) => TrendChange,
  ) => ({
    weight,
    arbitrary: base.map(make),
  })
  return fc.oneof(
    change(6, (d) => ({
      op: 'int-add',
      fieldId: id('count'),
      timeSeconds: d.timeSeconds,
      amount: d.amount - 5,
    })),
    change(6, (d) => ({
      op: 'hll-add',
      fieldId: id('ips'),
      timeSeconds: d.timeSeconds,
      hash: hashOf(d.item),
    })),
    change(6, (d) => ({
      op: 'countmin-add',
      fieldId: id('proto'),
      timeSeconds: d.timeSeconds,
      hash: hashOf(d.item),
      amount: d.amount,
    })),
    change(6, (d) => ({
      op: 'seen-add',
      fieldId: id('devices'),
      timeSeconds: d.timeSeconds,
      item: bytesOf(d.item),
      count: d.amount,
    })),
    change(6, (d) => ({
      op: 'last-set',
      fieldId: id('place'),
      timeSeconds: d.timeSeconds,
      value: encodeLastValue(d.item) ?? new Uint8Array(0),
    })),
    change(3, (d) => ({
      op: 'baseline-add',
      fieldId: id('usual'),
      timeSeconds: d.timeSeconds,
      sample: d.amount,
    })),
    change(6, (d) => ({
      op: 'top-add',
      fieldId: id('hitters'),
      timeSeconds: d.timeSeconds,
      item: bytesOf(d.item),
      amount: d.amount,
    })),
    change(1, (d) => ({ op: 'reset-field', fieldId: id('count'), timeSeconds: d.timeSeconds })),
    change(1, (d) => ({ op: 'reset', fieldId: 0, timeSeconds: d.timeSeconds })),
    change(1, (d) => ({ op: 'touch', fieldId: 0, timeSeconds: d.timeSeconds })),
  )
}
