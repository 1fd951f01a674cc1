import { MemoryStore } from '../../../src/store/memory-store.ts'
import { createTrendApplier, type CountingSetup } from '../../support/counting-trends.ts'
import type { OpenStore } from '../../support/store-suite.ts'
import { runStoreAlertsSuite } from './store-alerts.suite.ts'
import { runStoreEvidenceSuite } from './store-evidence.suite.ts'
import { runStoreChangesSuite } from './store-changes.suite.ts'
import { runStoreKeepingSuite } from './store-keeping.suite.ts'
import { runStoreMailsSuite } from './store-mails.suite.ts'
import { runStoreRowsSuite } from './store-rows.suite.ts'
import { runStoreSuite } from './store.suite.ts'
import { atEnd } from '../../support/clean-up.ts'

const open: OpenStore = async (t, { maxKeys = 1_000_000, ...options }) => {
  const store = new MemoryStore({
    ...options,
    applier: createTrendApplier({ rangeMs: 10_000, maxKeys }),
    createApplier: (setup) => createTrendApplier(setup as CountingSetup),
  })
  atEnd(t, () => store.close())
  return { store, reader: async (worker) => store.trendReader(worker) }
}

runStoreSuite('memory', open)
runStoreAlertsSuite('memory', open)
runStoreEvidenceSuite('memory', open)
runStoreKeepingSuite('memory', open)
runStoreRowsSuite('memory', open)
runStoreChangesSuite('memory', open)
runStoreMailsSuite('memory', open)
