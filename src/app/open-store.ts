/**
 * Opens the store of the configuration's state directory and tells the operator what was found there. Main thread.
 */
import type { Configuration } from '../config/load-configuration.ts'
import type { EmitEvent } from '../events/server-events.ts'
import { openEmbeddedStore, type EmbeddedStore } from '../store/embedded/embedded-store.ts'
import type { WrittenBatch } from '../store/store.ts'
import type { AppOptions } from './app-options.ts'
import { storeOptions } from './options-from-settings.ts'

interface StoreListeners {
  readonly emit: EmitEvent
  readonly onWritten: (batch: WrittenBatch) => void
  readonly onThreadLost: () => void
}

/** @throws TrackError TRK_STORE_* with what is wrong with the store and what to do. */
export async function openStore(
  configuration: Configuration,
  options: Pick<AppOptions, 'log' | 'recover' | 'maxPendingRuns' | 'threads'>,
  { emit, onWritten, onThreadLost }: StoreListeners,
): Promise<EmbeddedStore> {
  const { log } = options
  const { store, report } = await openEmbeddedStore(
    {
      onReadiness(readiness) {
        if (readiness.ready) log.info('reports can be stored')
        else log.error('reports cannot be stored', { reason: readiness.reason })
      },
      onTrouble: (message) => log.error(message),
      onThreadLost(reason) {
        onThreadLost()
        log.error('the store thread was lost and is replaced', { reason })
      },
      onWritten,
    },
    storeOptions(configuration, options, Date.now()),
  )
  const { stateDirectory: directory } = configuration
  if (report.salvage !== undefined) {
    emit('store-damaged', directory, 'it was set aside, and what was intact of it is in a new one')
    log.error('the store was damaged; it was set aside, and what was intact of it is in a new one', {
      ...report.salvage,
    })
  }
  if (report.migratedFrom !== undefined) {
    log.warn('the store was brought to the format of this version', { from: report.migratedFrom })
  }
  if (report.tornBytes > 0) {
    log.info('the last write before a crash was cut short; nothing in it had been acknowledged', {
      bytes: report.tornBytes,
    })
  }
  log.info(report.isNew ? 'a new store was made' : 'the store is open', { directory })
  return store
}
