/**
 * Looks whether a store holds what its clients were told, after whatever happened to it.
 */
import assert from 'node:assert/strict'
import type { EmbeddedStore } from '../../src/store/embedded/embedded-store.ts'
import { openTrendReader } from '../../src/store/embedded/trend-reader.ts'
import type { JournalledReport } from '../../src/store/store.ts'
import { decodeCount, encodeCounts } from './counting-trends.ts'
import { START_MS } from './store-reports.ts'
import { textToBytes } from './text-bytes.ts'

/** Acknowledgements as a store-child printed them. */
export interface Acknowledged {
  readonly appended: ReadonlySet<number>
  readonly committed: ReadonlySet<number>
}

export function readAcknowledgements(output: string): Acknowledged {
  const numbers = (letter: string): ReadonlySet<number> =>
    new Set([...output.matchAll(new RegExp(`^${letter} (\\d+)\n`, 'gm'))].map((match) => Number(match[1])))
  return { appended: numbers('a'), committed: numbers('c') }
}

/** Finishes what is open and asserts that every acknowledged report then counts exactly once. */
export async function assertCountedOnce(
  store: EmbeddedStore,
  { appended, committed }: Acknowledged,
): Promise<void> {
  const open: JournalledReport[] = []
  await store.subscribe((reports) => open.push(...reports))
  const numberOf = (report: JournalledReport): number => (JSON.parse(report.text) as { readonly n: number }).n
  const openNumbers = new Set(open.map(numberOf))
  for (const number of committed)
    assert.ok(!openNumbers.has(number), `report ${number} was done and runs again`)
  await store.commit(
    open.map((report) => ({
      kind: 'done',
      reportId: report.id,
      deltas: encodeCounts([{ database: 'd', key: `n${numberOf(report)}`, by: 1, atMs: START_MS }]),
      messages: [],
      commit: undefined,
    })),
  )
  const reader = await openTrendReader({ ...store.readerAccess(), worker: 99 })
  const view = await reader.openView()
  const messages = new Set(
    (await store.claimDue('hook', Infinity, Infinity)).entries.map((entry) => entry.deliveryId),
  )
  for (const number of appended) {
    const sum = decodeCount(await view.readRow('d', textToBytes(`n${number}`)))?.sum
    assert.equal(sum, 1, `acknowledged report ${number} counts ${sum} times`)
  }
  for (const number of committed)
    assert.ok(messages.has(`m${number}`), `the message of report ${number} is lost`)
  const [highest = 0] = [...appended, ...openNumbers].toSorted((a, b) => b - a)
  for (let number = 0; number <= highest + 100; number++) {
    const sum = decodeCount(await view.readRow('d', textToBytes(`n${number}`)))?.sum ?? 0
    assert.ok(sum <= 1, `report ${number} counts ${sum} times`)
  }
  view.close()
  await reader.close()
}
