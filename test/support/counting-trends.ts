/**
 * Trends for tests of the store: a row is the sum of its changes and the time of the newest. Loaded by the store thread.
 * Changes are JSON, so that a test can say what it means.
 */
import { existsSync, writeFileSync } from 'node:fs'
import { bytesToText, textToBytes } from './text-bytes.ts'
import type { AppliedRow, CurrentRow, RowChange, TrendApplier } from '../../src/store/trend-applier.ts'

export interface CountingSetup {
  /** A row expires so long after its newest change. */
  readonly rangeMs: number
  readonly maxKeys: number
  /** As definitions that nothing can be made of. */
  readonly isBroken?: boolean
  /** A change by 1e300 ends the thread, once: this file is made when it does. */
  readonly exitMarker?: string
}

export interface CountChange {
  readonly database: string
  readonly key: string
  readonly by: number
  readonly atMs: number
}

export interface CountRow {
  readonly sum: number
  readonly newestMs: number
  /** Chunks, in a database whose name begins with `apart`: one for each time of a change, with the sum of that time. */
  readonly chunks?: readonly string[]
}

export const countingTrendsUrl = import.meta.url

/** What a run of a policy would hand to commit. */
export function encodeCounts(changes: readonly CountChange[]): Uint8Array {
  return changes.length === 0 ? new Uint8Array(0) : textToBytes(JSON.stringify(changes))
}

export function decodeCount(bytes: Uint8Array | undefined): CountRow | undefined {
  return bytes === undefined ? undefined : (JSON.parse(bytesToText(bytes)) as CountRow)
}

/** A change by NaN fails, as a fault of the real code would; one by -Infinity removes the row. */
export function createTrendApplier(setup: CountingSetup): TrendApplier {
  if (setup.isBroken === true) throw new Error('told to fail')
  return {
    split(deltas): readonly RowChange[] {
      const changes = JSON.parse(bytesToText(deltas)) as readonly CountChange[]
      return changes.map((change) => ({
        database: change.database,
        key: textToBytes(change.key),
        changes: change,
      }))
    },
    apply(database, _key, current, changes): AppliedRow {
      if (database.startsWith('apart')) return applyApart(setup, current, changes as readonly CountChange[])
      let row: CountRow = decodeCount(current?.bytes) ?? { sum: 0, newestMs: 0 }
      let isGone = false
      for (const { by, atMs } of changes as readonly CountChange[]) {
        if (by === 1e300 && setup.exitMarker !== undefined && !existsSync(setup.exitMarker)) {
          writeFileSync(setup.exitMarker, '')
          // oxlint-disable-next-line unicorn/no-process-exit -- inside a worker this ends the thread and nothing else
          process.exit(1)
        }
        // JSON has no NaN and no Infinity.
        if (by === null) throw new Error('this change cannot be applied')
        isGone = by === -1e300
        row = isGone ? { sum: 0, newestMs: 0 } : { sum: row.sum + by, newestMs: Math.max(row.newestMs, atMs) }
      }
      const bytes = isGone ? undefined : textToBytes(JSON.stringify(row))
      return { bytes, chunks: [], chunkNames: [], expiresAtMs: row.newestMs + setup.rangeMs }
    },
    maxKeys: () => setup.maxKeys,
    keyOfLogin: (login) => textToBytes(login),
  }
}

/** A change by 0 drops the chunk of its time. */
function applyApart(
  setup: CountingSetup,
  current: CurrentRow | undefined,
  changes: readonly CountChange[],
): AppliedRow {
  const stored = decodeCount(current?.bytes)
  const names = new Set(stored?.chunks)
  const changed = new Map<string, number>()
  let newestMs = stored?.newestMs ?? 0
  for (const { by, atMs } of changes) {
    const name = `t${atMs}`
    newestMs = Math.max(newestMs, atMs)
    if (by === 0) {
      names.delete(name)
      changed.delete(name)
      continue
    }
    const before = changed.get(name) ?? (names.has(name) ? storedSum(current, name) : 0)
    names.add(name)
    changed.set(name, before + by)
  }
  const row: CountRow = { sum: 0, newestMs, chunks: [...names] }
  return {
    bytes: textToBytes(JSON.stringify(row)),
    chunks: [...changed].map(([name, sum]) => ({ name, bytes: textToBytes(String(sum)) })),
    chunkNames: [...names],
    expiresAtMs: newestMs + setup.rangeMs,
  }
}

function storedSum(current: CurrentRow | undefined, name: string): number {
  const bytes = current?.chunk(name)
  if (bytes === undefined) throw new Error(`chunk ${name} is missing`)
  return Number(bytesToText(bytes))
}
