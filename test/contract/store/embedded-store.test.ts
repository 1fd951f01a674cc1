import { openTrendReader } from '../../../src/store/embedded/trend-reader.ts'
import { temporaryStore } from '../../support/embedded-store.ts'
import type { OpenStore } from '../../support/store-suite.ts'
import { runStoreAlertsSuite } from './store-alerts.suite.ts'
import { runStoreChangesSuite } from './store-changes.suite.ts'
import { runStoreKeepingSuite } from './store-keeping.suite.ts'
import { runStoreSuite } from './store.suite.ts'

const open: OpenStore = async (t, { maxKeys, ...options }) => {
  const { store } = await temporaryStore(t, {
    ...options,
    trendSetup: maxKeys === undefined ? {} : { maxKeys },
  })
  return { store, reader: (worker) => openTrendReader({ ...store.readerAccess(), worker }) }
}

runStoreSuite('embedded', open)
runStoreAlertsSuite('embedded', open)
runStoreKeepingSuite('embedded', open)
runStoreChangesSuite('embedded', open)
