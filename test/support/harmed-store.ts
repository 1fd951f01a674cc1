/**
 * Stores that were written and then harmed, for tests of what a start says to that.
 */
import assert from 'node:assert/strict'
import { cp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { EmbeddedStore } from '../../src/store/embedded/embedded-store.ts'
import { reportsDirectory } from '../../src/store/embedded/reports/report-log.ts'
import { encodeCounts } from './counting-trends.ts'
import { openStore, temporaryDirectory } from './embedded-store.ts'
import { reportAt, START_MS } from './store-reports.ts'

/** A store with the ends of its first 500 reports in a table and of the last ones, in ten batches, in the log. */
export async function writtenStore(t: TestContext): Promise<string> {
  const directory = await temporaryDirectory(t)
  for (const [from, batches] of [
    [0, 5],
    [500, 10],
  ] as const) {
    const { store } = await openStore(directory)
    for (let batch = 0; batch < batches; batch++) await writeBatch(store, from + batch * 100)
    await store.close()
  }
  return directory
}

/** Appends a hundred reports, finishes ninety of them. */
export async function writeBatch(store: EmbeddedStore, from: number): Promise<void> {
  const outcome = await store.append(
    Array.from({ length: 100 }, (_, index) =>
      reportAt(from + index, {
        login: `u${index}`,
        text: JSON.stringify({ n: from + index, x: Math.random() }),
      }),
    ),
  )
  assert.equal(outcome.kind, 'durable')
  const reports = outcome.kind === 'durable' ? outcome.reports : []
  await store.commit(
    reports.slice(0, 90).map(({ id }, index) => ({
      kind: 'done',
      reportId: id,
      deltas: encodeCounts([{ database: 'd', key: `k${from + index}`, by: 1, atMs: START_MS }]),
      messages: [],
      commit: undefined,
    })),
  )
}

export async function fileOf(directory: string, pattern: RegExp): Promise<string> {
  const names = (await readdir(join(directory, 'store'))).filter((name) => pattern.test(name)).toSorted()
  const name = names.at(-1)
  assert.ok(name !== undefined, `no file ${pattern}`)
  return join(directory, 'store', name)
}

export async function flip(path: string, at: number): Promise<void> {
  const bytes = await readFile(path)
  bytes[at] = (bytes[at] ?? 0) ^ 0x10
  await writeFile(path, bytes)
}

/** Copies the state, harms the copy. */
export async function harmed(
  t: TestContext,
  from: string,
  harm: (directory: string) => Promise<unknown>,
): Promise<string> {
  const directory = await temporaryDirectory(t)
  await rm(directory, { recursive: true })
  await cp(from, directory, { recursive: true })
  await harm(directory)
  return directory
}

export const size = async (path: string): Promise<number> => (await stat(path)).size

/** The file of a store that has not filled one. */
export async function reportsOf(directory: string): Promise<string> {
  const folder = reportsDirectory(join(directory, 'store'))
  const [name, ...others] = (await readdir(folder)).filter((each) => each.endsWith('.reports'))
  assert.ok(name !== undefined && others.length === 0, 'there is another number of files')
  return join(folder, name)
}
