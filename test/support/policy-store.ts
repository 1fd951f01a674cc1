/** The embedded store as the server opens it, with the real trends, in a directory of its own that goes with the test. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { openEmbeddedStore, type EmbeddedStore } from '../../src/store/embedded/embedded-store.ts'
import type { TrendDefinition } from '../../src/trends/trend-definition.ts'

export async function openPolicyStore(
  t: TestContext,
  definitions: readonly TrendDefinition[],
): Promise<EmbeddedStore> {
  const stateDirectory = await mkdtemp(join(tmpdir(), 'trackalert-policy-store-'))
  const { store } = await openEmbeddedStore(
    { onReadiness: () => undefined, onTrouble: () => undefined, onThreadLost: () => undefined },
    {
      stateDirectory,
      recover: false,
      nowMs: 0,
      trends: {
        module: new URL('../../src/store/apply-trends.ts', import.meta.url).href,
        setup: { definitions },
      },
    },
  )
  t.after(async () => {
    await store.close()
    await rm(stateDirectory, { recursive: true, force: true })
  })
  return store
}
