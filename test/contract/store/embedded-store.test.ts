import { openTrendReader } from '../../../src/store/embedded/trend-reader.ts'
import { temporaryStore } from '../../support/embedded-store.ts'
import { runStoreSuite } from './store.suite.ts'

runStoreSuite('embedded', async (t, { maxKeys, ...options }) => {
  const { store } = await temporaryStore(t, {
    ...options,
    trendSetup: maxKeys === undefined ? {} : { maxKeys },
  })
  return { store, reader: (worker) => openTrendReader({ ...store.readerAccess(), worker }) }
})
