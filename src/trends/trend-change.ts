/**
 * Changes to trends: what a policy did, as amounts and never as resulting values, so that the changes of many runs to
 * one row may be applied in the order of their commits. Pure types.
 */
import type { FieldType } from './trend-definition.ts'

/** What happens to one field, or to all of them. */
export type TrendOperation =
  | { readonly op: 'int-add'; readonly amount: number }
  | { readonly op: 'hll-add'; readonly hash: number }
  | { readonly op: 'countmin-add'; readonly hash: number; readonly amount: number }
  | { readonly op: 'seen-add'; readonly item: Uint8Array; readonly count: number }
  /** The value as `encodeLastValue` gives it. */
  | { readonly op: 'last-set'; readonly value: Uint8Array }
  | { readonly op: 'baseline-add'; readonly sample: number }
  | { readonly op: 'top-add'; readonly item: Uint8Array; readonly amount: number }
  | { readonly op: 'reset-field' }
  /** All fields; the field id is 0. */
  | { readonly op: 'reset' }
  /** The row was read: it counts as used at this time, nothing else changes. The field id is 0. */
  | { readonly op: 'touch' }

export type TrendChange = TrendOperation & {
  /** TrendField.id; it stands for name and type, so it means the same under every definition. */
  readonly fieldId: number
  /** Unix seconds of receipt, or of the replay clock. */
  readonly timeSeconds: number
}

/** All changes of one run to one row, in their order. */
export interface RowChanges {
  readonly database: string
  /** Normalised (normalize-key.ts). */
  readonly key: Uint8Array
  readonly changes: readonly TrendChange[]
}

/** Beyond it milliseconds would leave the range in which doubles are exact; the year is 141,000. */
const LATEST_SECONDS = 2 ** 42

/** Whether a change can be applied to a field of this type at all: times and amounts must be usable numbers. */
export function isValidChange(change: TrendChange, type: FieldType): boolean {
  const { timeSeconds } = change
  if (!(timeSeconds >= 0 && timeSeconds <= LATEST_SECONDS)) return false
  switch (change.op) {
    case 'int-add':
      return type === 'int' && Number.isFinite(change.amount)
    case 'hll-add':
      return type === 'hll'
    case 'countmin-add':
      return type === 'countmin' && isPositive(change.amount)
    case 'seen-add':
      return type === 'seen' && isPositive(change.count)
    case 'last-set':
      return type === 'last'
    case 'baseline-add':
      return type === 'baseline' && Number.isFinite(change.sample)
    case 'top-add':
      return type === 'top' && isPositive(change.amount)
    case 'reset-field':
    case 'reset':
    case 'touch':
      return true
  }
  return change satisfies never
}

function isPositive(amount: number): boolean {
  return amount > 0 && Number.isFinite(amount)
}
