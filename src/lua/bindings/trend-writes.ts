/**
 * Methods of StringStatsDB with which a run changes what is remembered: twAdd, twSub, twReset, twResetField. They only
 * note the change in the run's effects; it counts for the run itself at once, and for others when the run has ended well.
 */
import { ComboAddress } from '../../login/combo-address.ts'
import { itemHash, type HashSeed } from '../../trends/item-hash.ts'
import { encodeLastValue, type LastScalar, type LastValue } from '../../trends/last-value.ts'
import { isValidChange, type TrendChange } from '../../trends/trend-change.ts'
import type { FieldType } from '../../trends/trend-definition.ts'
import type { HostCall, HostFunction } from '../host-function.ts'
import { isLuaArray, isLuaTable, type LuaValue } from '../lua-value.ts'
import {
  amountArgument,
  countArgument,
  isAbsent,
  itemArgument,
  subjectOf,
  type TrendArguments,
  type TrendRowTarget,
  type TrendTarget,
} from './trend-arguments.ts'

interface TrendWriteDeps {
  readonly seed: () => HashSeed
}

export function trendWriteMethods(deps: TrendWriteDeps, args: TrendArguments): readonly HostFunction[] {
  return [
    {
      name: 'StringStatsDB:twAdd',
      usage: 'db:twAdd(key, field, value, count)',
      summary: 'Adds to a field of a key: a number, or an item and, where items are counted, how many.',
      scope: 'anywhere',
      run(call) {
        const target = args.field(call, 'twAdd')
        const change = additionOf(call, target, deps)
        if (change !== undefined) note(call, target, target.field.type, change)
      },
    },
    {
      name: 'StringStatsDB:twSub',
      usage: 'db:twSub(key, field, value)',
      summary: 'Subtracts a number from an int field of a key.',
      scope: 'anywhere',
      run(call) {
        const target = args.field(call, 'twSub')
        const { type, id } = target.field
        if (type !== 'int')
          return call.fail(`${subjectOf(target)} is of type ${type}; only int can be subtracted from`)
        const amount = -amountArgument(call, 4, target)
        note(call, target, type, { op: 'int-add', fieldId: id, timeSeconds: target.run.nowSeconds, amount })
      },
    },
    {
      name: 'StringStatsDB:twReset',
      usage: 'db:twReset(key)',
      summary: 'Forgets everything about a key.',
      scope: 'anywhere',
      run(call) {
        const target = args.row(call, 'twReset')
        note(call, target, 'int', { op: 'reset', fieldId: 0, timeSeconds: target.run.nowSeconds })
      },
    },
    {
      name: 'StringStatsDB:twResetField',
      usage: 'db:twResetField(key, field)',
      summary: 'Forgets one field of a key.',
      scope: 'anywhere',
      run(call) {
        const target = args.field(call, 'twResetField')
        const { type, id } = target.field
        note(call, target, type, { op: 'reset-field', fieldId: id, timeSeconds: target.run.nowSeconds })
      },
    },
  ]
}

/** What twAdd asks for; undefined where there is nothing to add. */
function additionOf(call: HostCall, target: TrendTarget, { seed }: TrendWriteDeps): TrendChange | undefined {
  const { type, id: fieldId } = target.field
  const timeSeconds = target.run.nowSeconds
  switch (type) {
    case 'int':
      refuseCount(call, target)
      return { op: 'int-add', fieldId, timeSeconds, amount: amountArgument(call, 4, target) }
    case 'hll':
      refuseCount(call, target)
      return { op: 'hll-add', fieldId, timeSeconds, hash: itemHash(seed(), itemArgument(call, 4, target)) }
    case 'countmin': {
      const hash = itemHash(seed(), itemArgument(call, 4, target))
      const amount = countArgument(call, 5, target)
      return amount === 0 ? undefined : { op: 'countmin-add', fieldId, timeSeconds, hash, amount }
    }
    case 'seen': {
      const item = itemArgument(call, 4, target)
      const count = countArgument(call, 5, target)
      return count === 0 ? undefined : { op: 'seen-add', fieldId, timeSeconds, item, count }
    }
    case 'last':
      refuseCount(call, target)
      return { op: 'last-set', fieldId, timeSeconds, value: lastArgument(call, target) }
    case 'baseline':
      refuseCount(call, target)
      return { op: 'baseline-add', fieldId, timeSeconds, sample: amountArgument(call, 4, target) }
    case 'top': {
      const item = itemArgument(call, 4, target)
      const amount = countArgument(call, 5, target)
      return amount === 0 ? undefined : { op: 'top-add', fieldId, timeSeconds, item, amount }
    }
  }
  return type satisfies never
}

function note(call: HostCall, target: TrendRowTarget, type: FieldType, change: TrendChange): void {
  const { method, run, definition, key } = target
  if (!isValidChange(change, type))
    return call.fail(`${method}: the time of this run, ${change.timeSeconds} s, cannot be used for trends`)
  if (!run.effects.trends.add(definition.name, key, change))
    call.fail(`${method}: this run has made as many different changes to trends as one run may`)
}

function refuseCount(call: HostCall, target: TrendTarget): void {
  if (!isAbsent(call, 5))
    call.fail(
      `${subjectOf(target)} is of type ${target.field.type} and takes no count; countmin, seen and top do`,
    )
}

function lastArgument(call: HostCall, target: TrendTarget): Uint8Array {
  const value = lastValueOf(call.value(4))
  if (value === undefined) {
    return call.fail(
      `${subjectOf(target)} takes a string, a number, a boolean, a ComboAddress, or a table of these, not ${describeLast(call)}`,
    )
  }
  return encodeLastValue(value) ?? call.fail(`${subjectOf(target)} takes at most 4 KiB`)
}

function describeLast(call: HostCall): string {
  const isTable = call.value(4) instanceof Map || isLuaArray(call.value(4))
  return isTable ? 'a table with other things in it' : call.describe(4)
}

function lastValueOf(value: LuaValue): LastValue | undefined {
  if (!isLuaArray(value) && !isLuaTable(value)) return scalarOf(value)
  const table = new Map<LastScalar, LastScalar>()
  const entries: Iterable<readonly [LastScalar, LuaValue]> = isLuaTable(value)
    ? value
    : value.map((item, index) => [index + 1, item] as const)
  for (const [key, item] of entries) {
    const scalar = scalarOf(item)
    if (scalar === undefined) return undefined
    table.set(key, scalar)
  }
  return table
}

function scalarOf(value: LuaValue): LastScalar | undefined {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value
  return value instanceof ComboAddress ? value.address : undefined
}
