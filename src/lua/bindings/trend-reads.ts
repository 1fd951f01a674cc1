/**
 * Methods of StringStatsDB that answer what is remembered. A read sees what was committed, what earlier runs of the same
 * login have changed, and what the asking run itself has changed so far. It answers at once unless the store answers with
 * a promise, for which the run then waits.
 */
import { bytesToText } from '../../login/byte-string.ts'
import { itemHash, type HashSeed } from '../../trends/item-hash.ts'
import { originalKey } from '../../trends/normalize-key.ts'
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
} from '../../trends/read-trends.ts'
import type { SeenEntry } from '../../trends/seen-items.ts'
import { MOST_WINDOWS, type TrendDefinition, type TrendField } from '../../trends/trend-definition.ts'
import type { TrendRow } from '../../trends/trend-row.ts'
import { baselineScore } from '../../trends/weekly-baseline.ts'
import { results, type HostCall, type HostFunction, type NumberRange } from '../host-function.ts'
import type { LuaValue } from '../lua-value.ts'
import type { ReadAnswer } from '../run-reads.ts'
import { StringStatsDb } from './string-stats-db.ts'
import {
  amountArgument,
  isAbsent,
  itemArgument,
  runOf,
  subjectOf,
  type TrendArguments,
  type TrendTarget,
} from './trend-arguments.ts'

const COUNTED = ['int', 'hll', 'countmin'] as const
const TOP_RANGE: NumberRange = { min: 1, max: 1024 }
const ITEMS_RANGE: NumberRange = { min: 1, max: 4096 }
const WINDOWS_RANGE: NumberRange = { min: 1, max: MOST_WINDOWS }

interface TrendReadDeps {
  readonly seed: () => HashSeed
  readonly readRow: (
    definition: TrendDefinition,
    key: Uint8Array,
    field: TrendField,
  ) => TrendRow | Promise<TrendRow>
  readonly size: (definition: TrendDefinition) => number | Promise<number>
}

export function trendReadMethods(deps: TrendReadDeps, args: TrendArguments): readonly HostFunction[] {
  return [...countMethods(deps, args), ...itemMethods(deps, args), ...valueMethods(deps, args)]
}

/** For int, hll and countmin. */
function countMethods(deps: TrendReadDeps, args: TrendArguments): readonly HostFunction[] {
  const counting = (
    name: 'twGet' | 'twGetCurrent',
    summary: string,
    read: (query: TrendQuery, hash: number | undefined) => ReadAnswer,
  ): HostFunction => ({
    name: `StringStatsDB:${name}`,
    usage: `db:${name}(key, field, item)`,
    summary,
    scope: 'anywhere',
    run(call) {
      const target = args.readable(call, name, COUNTED)
      const item = countedItem(call, target)
      const hash = item === undefined ? undefined : itemHash(deps.seed(), item)
      return ask(deps, { target, item }, (query) => read(query, hash))
    },
  })
  return [
    counting(
      'twGet',
      'The number of a field over all windows; of one item of a countmin field.',
      (query, hash) => readCount(query, rangeOf(query), hash),
    ),
    counting('twGetCurrent', 'As twGet, for the current window alone.', (query, hash) =>
      readCount(query, currentRangeOf(query), hash),
    ),
    {
      name: 'StringStatsDB:twGetWindows',
      usage: 'db:twGetWindows(key, field, item, count)',
      summary:
        'As twGet, an array with the number of each window, the current one first, all or at most so many.',
      scope: 'anywhere',
      run(call) {
        const target = args.readable(call, 'twGetWindows', COUNTED)
        const item = countedItem(call, target)
        const hash = item === undefined ? undefined : itemHash(deps.seed(), item)
        const limit = isAbsent(call, 5) ? undefined : call.integer(5, 'count', WINDOWS_RANGE)
        return ask(deps, { target, item }, (query) => readWindowCounts(query, hash, limit))
      },
    },
    {
      name: 'StringStatsDB:twGetSize',
      usage: 'db:twGetSize()',
      summary: 'How many keys the database has, as of a moment ago.',
      scope: 'anywhere',
      run(call) {
        runOf(call, 'twGetSize')
        return deps.size(call.object(1, 'self', StringStatsDb).definition)
      },
    },
  ]
}

/** For seen and top. */
function itemMethods(deps: TrendReadDeps, args: TrendArguments): readonly HostFunction[] {
  return [
    {
      name: 'StringStatsDB:twSeen',
      usage: 'db:twSeen(key, field, item)',
      summary:
        'When an item of a seen field was seen first and last, and how often: {first, last, count} or nil.',
      scope: 'anywhere',
      run(call) {
        const target = args.readable(call, 'twSeen', ['seen'])
        const item = itemArgument(call, 4, target)
        return ask(deps, { target, item }, (query) => {
          const entry = readSeenItem(query, item)
          return entry === undefined ? null : { first: entry.first, last: entry.last, count: entry.count }
        })
      },
    },
    {
      name: 'StringStatsDB:twItems',
      usage: 'db:twItems(key, field, count)',
      summary:
        'The items of a seen field, the one seen last first, all or at most so many: an array of {item, first, last, count}.',
      scope: 'anywhere',
      run(call) {
        const target = args.readable(call, 'twItems', ['seen'])
        const limit = isAbsent(call, 4) ? undefined : call.integer(4, 'count', ITEMS_RANGE)
        return ask(deps, { target, item: limit }, (query) => readSeenItems(query, limit).map(seenInLua))
      },
    },
    {
      name: 'StringStatsDB:twTop',
      usage: 'db:twTop(key, field, count)',
      summary: 'The items of a top field that were counted most: an array of {item, count}.',
      scope: 'anywhere',
      run(call) {
        const target = args.readable(call, 'twTop', ['top'])
        const limit = call.integer(4, 'count', TOP_RANGE)
        return ask(deps, { target, item: limit }, (query) =>
          readTop(query, limit).map(({ item, count }) => ({ item: itemText(item), count })),
        )
      },
    },
  ]
}

/** For last and baseline. */
function valueMethods(deps: TrendReadDeps, args: TrendArguments): readonly HostFunction[] {
  return [
    {
      name: 'StringStatsDB:twLast',
      usage: 'db:twLast(key, field)',
      summary: 'The latest value of a last field and when it was set, or nil.',
      scope: 'anywhere',
      run: (call) =>
        ask(deps, { target: args.readable(call, 'twLast', ['last']) }, (query) => {
          const last = readLastValue(query)
          return last === undefined ? null : results(last.value, last.time)
        }),
    },
    {
      name: 'StringStatsDB:twBaseline',
      usage: 'db:twBaseline(key, field)',
      summary: 'What is usual at this hour of the week: {mean, stddev, samples}, or nil without a sample.',
      scope: 'anywhere',
      run: (call) =>
        ask(
          deps,
          { target: args.readable(call, 'twBaseline', ['baseline']) },
          (query) => readUsual(query) ?? null,
        ),
    },
    {
      name: 'StringStatsDB:twScore',
      usage: 'db:twScore(key, field, value)',
      summary: 'How many standard deviations a number is from what is usual; nil while that is not known.',
      scope: 'anywhere',
      run(call) {
        const target = args.readable(call, 'twScore', ['baseline'])
        const value = amountArgument(call, 4, target)
        return ask(deps, { target, item: value }, (query) => baselineScore(readUsual(query), value) ?? null)
      },
    },
  ]
}

/** One call of a method: which row and field, and the item or number that goes with it. */
interface Asked {
  readonly target: TrendTarget
  readonly item?: Uint8Array | number | undefined
}

/**
 * Puts a question to the row of a call, and notes what it answered. No promise is made unless the store answers with one.
 * An answer that is nothing is null, which is a value in Lua (nil); undefined would be no value at all.
 */
function ask(
  { readRow }: TrendReadDeps,
  asked: Asked,
  answer: (query: TrendQuery) => ReadAnswer,
): ReadAnswer | Promise<ReadAnswer> {
  const { definition, key, field } = asked.target
  const row = readRow(definition, key, field)
  return row instanceof Promise
    ? row.then((loaded) => noted(asked, answer(queryOf(asked.target, loaded))))
    : noted(asked, answer(queryOf(asked.target, row)))
}

function noted({ target, item }: Asked, answer: ReadAnswer): ReadAnswer {
  target.run.reads.note(target, item, answer)
  return answer
}

function queryOf({ run, definition, key, field }: TrendTarget, row: TrendRow): TrendQuery {
  // What is read counts as used: when a database has too many keys, others go first.
  if (row.isUseDue(run.nowSeconds)) {
    run.effects.trends.add(definition.name, key, { op: 'touch', fieldId: 0, timeSeconds: run.nowSeconds })
  }
  return { row, field, nowSeconds: run.nowSeconds, own: run.effects.trends.of(definition.name, key) }
}

/** The item that a count is asked of: only countmin counts items one by one. */
function countedItem(call: HostCall, target: TrendTarget): Uint8Array | undefined {
  if (isAbsent(call, 4)) return undefined
  const { type } = target.field
  return type === 'countmin'
    ? itemArgument(call, 4, target)
    : call.fail(`${subjectOf(target)} is of type ${type} and does not count single items; countmin does`)
}

function seenInLua({ item, first, last, count }: SeenEntry): LuaValue {
  return { item: itemText(item), first, last, count }
}

function itemText(item: Uint8Array): string {
  return bytesToText(originalKey(item))
}
