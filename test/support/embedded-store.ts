/**
 * Opens embedded stores in temporary directories for tests; they are closed and removed when the test ends.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { EmbeddedStoreOptions } from '../../src/store/embedded/embedded-store-options.ts'
import { openEmbeddedStore, type OpenedStore } from '../../src/store/embedded/embedded-store.ts'
import { countingTrendsUrl, type CountingSetup } from './counting-trends.ts'
import { START_MS } from './store-reports.ts'
import { atEnd } from './clean-up.ts'

export async function temporaryDirectory(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'trackalert-store-'))
  atEnd(t, () => rm(directory, { recursive: true, force: true }))
  return directory
}

export type TestStoreOptions = Partial<EmbeddedStoreOptions> & {
  readonly trendSetup?: Partial<CountingSetup>
}

/** Opens the store of a state directory; what it reports goes to `seen`. */
export async function openStore(
  stateDirectory: string,
  { trendSetup, ...options }: TestStoreOptions = {},
  seen: string[] = [],
): Promise<OpenedStore> {
  const setup: CountingSetup = { rangeMs: 10_000, maxKeys: 1_000_000, ...trendSetup }
  return await openEmbeddedStore(
    {
      onReadiness: (readiness) => seen.push(readiness.ready ? 'ready' : `not ready: ${readiness.reason}`),
      onTrouble: (message) => seen.push(message),
      onThreadLost: (reason) => seen.push(`the store thread was lost and is replaced: ${reason}`),
    },
    {
      stateDirectory,
      recover: false,
      nowMs: START_MS,
      // Tests run on machines whose disks are nearly full, too.
      reserveBytes: 1024 * 1024,
      trends: { module: countingTrendsUrl, setup },
      ...options,
    },
  )
}

/** A store of its own for one test. */
export async function temporaryStore(t: TestContext, options: TestStoreOptions = {}): Promise<OpenedStore> {
  const directory = await temporaryDirectory(t)
  const opened = await openStore(directory, options)
  atEnd(t, () => opened.store.close())
  return opened
}
