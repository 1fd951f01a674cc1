/**
 * Says what becomes of stored data when a database's definition changes. Pure; called at start and at reload, on the
 * thread that has read the configuration. It only tells: the rows themselves are adapted when they are read next
 * (trend-row.ts), by the same rules.
 */
import { isWindowed, type TrendDefinition } from './trend-definition.ts'

export interface Reconciliation {
  /** Names of the fields whose data live on. */
  readonly kept: readonly string[]
  /** What is lost, a sentence each; empty when nothing is. */
  readonly dropped: readonly string[]
}

/** Compares the definition under which rows were written with the one under which they will be read. */
export function reconcileDefinitions(before: TrendDefinition, after: TrendDefinition): Reconciliation {
  const kept: string[] = []
  const dropped: string[] = []
  for (const field of before.fields.values()) {
    const now = after.fields.get(field.name)
    if (now === undefined) dropped.push(`field ${field.name}: it is no longer defined`)
    else if (now.type !== field.type)
      dropped.push(`field ${field.name}: its type was ${field.type} and is ${now.type}`)
    else kept.push(field.name)
  }
  if (kept.some((name) => isWindowed(after.fields.get(name)?.type ?? 'last')))
    dropped.push(...lostWindows(before, after))
  if (after.maxItemsPerKey < before.maxItemsPerKey && hasKept(after, kept, 'seen')) {
    dropped.push(`items beyond ${after.maxItemsPerKey} per key in seen fields, those seen longest ago`)
  }
  if (after.topCapacity < before.topCapacity && hasKept(after, kept, 'top')) {
    dropped.push(`items beyond ${after.topCapacity} per window in top fields, those counted least`)
  }
  return { kept, dropped }
}

function lostWindows(before: TrendDefinition, after: TrendDefinition): readonly string[] {
  const lost: string[] = []
  if (after.windowSeconds % before.windowSeconds !== 0) {
    lost.push(
      `windows of ${before.windowSeconds} seconds that do not lie within one window of ${after.windowSeconds} seconds`,
    )
  }
  const rangeBefore = before.windowSeconds * before.windowCount
  const rangeAfter = after.windowSeconds * after.windowCount
  if (rangeAfter < rangeBefore)
    lost.push(`windows older than ${rangeAfter} seconds, where ${rangeBefore} were kept`)
  return lost
}

function hasKept(definition: TrendDefinition, kept: readonly string[], type: 'seen' | 'top'): boolean {
  return kept.some((name) => definition.fields.get(name)?.type === type)
}
