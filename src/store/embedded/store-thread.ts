/**
 * The store thread: the only writer of the database. It wires the parts of the store, receives calls and sends what each
 * batch settled. It ends with `close`. Must not be imported by other threads.
 */
import { parentPort } from 'node:worker_threads'
import { messageOf, TrackError } from '../../errors.ts'
import { threadSetup } from '../../thread-starter.ts'
import type { TrendApplier } from '../trend-applier.ts'
import type { FromStoreThread, StoreThreadSetup, ToStoreThread } from './messages.ts'
import { StoreService } from './store-service.ts'

interface ApplierModule {
  readonly createTrendApplier?: (setup: unknown) => TrendApplier
}

async function loadApplierMaker({
  module,
}: StoreThreadSetup['trends']): Promise<(setup: unknown) => TrendApplier> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the module is ours, named by the wiring
  const loaded = (await import(module)) as ApplierModule
  if (loaded.createTrendApplier === undefined) {
    throw new TrackError('TRK_STORE_FAILED', `${module} exports no createTrendApplier`)
  }
  return loaded.createTrendApplier
}

async function main(): Promise<void> {
  const port = parentPort
  if (port === null) throw new TrackError('TRK_STORE_FAILED', 'store-thread.ts was not started as a thread')
  const send = (message: FromStoreThread): void => port.postMessage(message)
  const setup = await threadSetup<StoreThreadSetup>()
  try {
    const service = new StoreService({ setup, createApplier: await loadApplierMaker(setup.trends), send })
    port.on('message', (message: ToStoreThread) => service.receive(message))
    await service.start()
  } catch (error) {
    const known = error instanceof TrackError ? error : new TrackError('TRK_STORE_FAILED', messageOf(error))
    send({ type: 'failed', error: known.toWire() })
    port.close()
  }
}

void main()
