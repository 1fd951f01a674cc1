import { openTrendReader } from '../../../src/store/embedded/trend-reader.ts'
import type { Durability } from '../../../src/store/store.ts'
import { temporaryStore } from '../../support/embedded-store.ts'
import type { OpenStore } from '../../support/store-suite.ts'
import { runStoreAlertsSuite } from './store-alerts.suite.ts'
import { runStoreEvidenceSuite } from './store-evidence.suite.ts'
import { runStoreChangesSuite } from './store-changes.suite.ts'
import { runStoreKeepingSuite } from './store-keeping.suite.ts'
import { runStoreMailsSuite } from './store-mails.suite.ts'
import { runStoreRowsSuite } from './store-rows.suite.ts'
import { runStoreSuite } from './store.suite.ts'

const opening =
  (durability: Durability): OpenStore =>
  async (t, { maxKeys, ...options }) => {
    const { store } = await temporaryStore(t, {
      ...options,
      durability,
      trendSetup: maxKeys === undefined ? {} : { maxKeys },
    })
    return { store, reader: (worker) => openTrendReader({ ...store.readerAccess(), worker }) }
  }

for (const durability of ['fsync', 'none'] as const) {
  runStoreSuite(`embedded, ${durability}`, opening(durability))
  runStoreAlertsSuite(`embedded, ${durability}`, opening(durability))
  runStoreEvidenceSuite(`embedded, ${durability}`, opening(durability))
  runStoreKeepingSuite(`embedded, ${durability}`, opening(durability))
  runStoreRowsSuite(`embedded, ${durability}`, opening(durability))
  runStoreChangesSuite(`embedded, ${durability}`, opening(durability))
  runStoreMailsSuite(`embedded, ${durability}`, opening(durability))
}
