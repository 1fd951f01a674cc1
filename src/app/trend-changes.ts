/**
 * What a reload does to stored trends, in lines for the log. Pure.
 */
import { isDeepStrictEqual } from 'node:util'
import type { Notice } from '../config/settings-collector.ts'
import { reconcileDefinitions } from '../trends/reconcile-definitions.ts'
import type { TrendDefinition } from '../trends/trend-definition.ts'

/** A line for each database that is new, gone or changed, and for everything that is dropped of it. */
export function describeTrendChanges(
  before: readonly TrendDefinition[],
  after: readonly TrendDefinition[],
): readonly Notice[] {
  const old = new Map(before.map((definition) => [definition.name, definition]))
  const names = new Set(after.map(({ name }) => name))
  const gone = before.filter(({ name }) => !names.has(name))
  return [
    ...gone.map(({ name }) =>
      warning('a trend database is not defined any more; what is stored of it expires in its time', {
        database: name,
      }),
    ),
    ...after.flatMap((definition) => changesOf(old.get(definition.name), definition)),
  ]
}

function changesOf(before: TrendDefinition | undefined, after: TrendDefinition): readonly Notice[] {
  const fields = { database: after.name }
  if (before === undefined) return [{ level: 'info', message: 'a trend database is new', fields }]
  if (isDeepStrictEqual(before, after)) return []
  const { kept, dropped } = reconcileDefinitions(before, after)
  return [
    {
      level: 'info',
      message: 'a trend database has changed',
      fields: { ...fields, kept: kept.join(' ') },
    },
    ...dropped.map((what) => warning('stored trends are dropped', { ...fields, dropped: what })),
  ]
}

function warning(message: string, fields: Notice['fields']): Notice {
  return { level: 'warn', message, fields }
}
