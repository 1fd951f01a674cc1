/**
 * Commands of the console that show what the store keeps: failed reports, webhooks that were given up, trends. The functions
 * that answer the same as tables are in stored-reports.ts and trend-reads.ts. Lives on the configuration thread.
 */
import { textTable } from '../../console/text-table.ts'
import { bytesToText } from '../../login/byte-string.ts'
import { decodeLoginReport } from '../../login/report-codec.ts'
import { originalKey } from '../../trends/normalize-key.ts'
import {
  rangeOf,
  readCount,
  readLastValue,
  readSeenItems,
  readTop,
  readUsual,
  type TrendQuery,
} from '../../trends/read-trends.ts'
import type { TrendRow } from '../../trends/trend-row.ts'
import type { HostCall, HostFunction } from '../host-function.ts'
import type { LuaValue } from '../lua-value.ts'
import { StringStatsDb } from './string-stats-db.ts'
import type { AskStore } from './stored-reports.ts'
import type { TrendDeps } from './trend-databases.ts'
import { runOf, TrendArguments } from './trend-arguments.ts'

const LIMIT = { min: 1, max: 10_000 } as const
const DEFAULT_LIMIT = 100
const TOP_SHOWN = 10

export function consoleStoreFunctions(ask: AskStore, trends: TrendDeps): readonly HostFunction[] {
  return [...keptFunctions(ask), ...trendFunctions(trends, new TrendArguments())]
}

function keptFunctions(ask: AskStore): readonly HostFunction[] {
  return [
    {
      name: 'showFailedReports',
      usage: 'showFailedReports(limit)',
      summary: 'Reports whose run failed, newest first; rerunFailedReport(id) runs one again.',
      scope: 'console',
      async run(call) {
        const answer = await ask({ kind: 'failed-reports', limit: limitArgument(call) })
        const reports = answer.kind === 'failed-reports' ? answer.reports : []
        return textTable(
          [
            { title: 'ID', width: 9 },
            { title: 'Failed', width: 24 },
            { title: 'Login', width: 24 },
            { title: 'Remote', width: 24 },
            { title: 'Error', width: 0 },
          ],
          reports.map(({ id, failedAtMs, login, text, failure }) => [
            String(id),
            new Date(failedAtMs).toISOString(),
            login,
            decodeLoginReport(text).remote,
            failure.message,
          ]),
        )
      },
    },
    {
      name: 'showDeadLetters',
      usage: 'showDeadLetters(limit)',
      summary: 'Webhooks that were given up, newest first, and why; resendDeadLetter(id) sends one again.',
      scope: 'console',
      async run(call) {
        const answer = await ask({ kind: 'dead-letters', limit: limitArgument(call) })
        const letters = answer.kind === 'dead-letters' ? answer.letters : []
        return textTable(
          [
            { title: 'ID', width: 9 },
            { title: 'Given up', width: 24 },
            { title: 'Webhook', width: 20 },
            { title: 'Tries', width: 5 },
            { title: 'Delivery', width: 36 },
            { title: 'Reason', width: 0 },
          ],
          letters.map(({ id, diedAtMs, receiver, tries, deliveryId, reason }) => [
            String(id),
            new Date(diedAtMs).toISOString(),
            receiver,
            String(tries),
            deliveryId,
            reason,
          ]),
        )
      },
    },
  ]
}

function trendFunctions(trends: TrendDeps, args: TrendArguments): readonly HostFunction[] {
  const { registry, readRow, size } = trends
  return [
    {
      name: 'showStatsDBs',
      usage: 'showStatsDBs()',
      summary: 'Every trend database with its windows, keys and fields.',
      scope: 'console',
      async run() {
        const definitions = registry.all()
        const sizes = await Promise.all(definitions.map(async (definition) => size(definition)))
        return textTable(
          [
            { title: 'Name', width: 20 },
            { title: 'Windows', width: 16 },
            { title: 'Keys', width: 10 },
            { title: 'Fields', width: 0 },
          ],
          definitions.map(({ name, windowCount, windowSeconds, fields }, index) => [
            name,
            `${windowCount} x ${windowSeconds} s`,
            String(sizes[index]),
            Array.from(fields.values(), (field) => `${field.name}:${field.type}`).join(' '),
          ]),
        )
      },
    },
    {
      name: 'showStatsDBKey',
      usage: 'showStatsDBKey(db, key)',
      summary: 'All that a trend database remembers about one key; db is its name.',
      scope: 'console',
      async run(call) {
        const { nowSeconds } = runOf(call, 'showStatsDBKey')
        const definition = definitionArgument(call)
        const key = args.key(call, 'showStatsDBKey', definition)
        const fields: Record<string, LuaValue> = {}
        for (const field of definition.fields.values()) {
          const row = await readRow(definition, key, field)
          fields[field.name] = fieldValue({ row, field, nowSeconds, own: [] })
        }
        return fields
      },
    },
  ]

  function definitionArgument(call: HostCall): TrendRow['definition'] {
    const database = call.objectIf(1, StringStatsDb)
    if (database !== undefined) return database.definition
    const name = call.string(1, 'db')
    return (
      registry.get(name) ??
      call.fail(`there is no trend database ${JSON.stringify(name)}; showStatsDBs() lists them`)
    )
  }
}

/** What the field's own reading function answers, where it needs no further argument. */
function fieldValue(query: TrendQuery): LuaValue {
  const { type } = query.field
  switch (type) {
    case 'int':
    case 'hll':
    case 'countmin':
      return readCount(query, rangeOf(query))
    case 'seen':
      return readSeenItems(query).map((entry) => ({ ...entry, item: bytesToText(originalKey(entry.item)) }))
    case 'last':
      return readLastValue(query)
    case 'baseline':
      return readUsual(query)
    case 'top':
      return readTop(query, TOP_SHOWN).map(({ item, count }) => ({
        item: bytesToText(originalKey(item)),
        count,
      }))
    default:
      return type satisfies never
  }
}

function limitArgument(call: HostCall): number {
  return call.optionalNumber(1, 'limit', LIMIT) ?? DEFAULT_LIMIT
}
