/**
 * Looks at a configuration file without starting a server, on a thread of its own: nothing is written, sent or listened
 * on. The main thread of the client and of `trackalert check` calls it.
 */
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import { TrackError } from '../errors.ts'
import { firstMessage } from './first-message.ts'
import type { FromInspectThread, Inspection, InspectionSetup } from './inspection.ts'

/** @throws TrackError TRK_CONFIG_* when the file cannot be read or does not end. */
export async function inspectConfiguration(setup: InspectionSetup): Promise<Inspection> {
  const worker = new Worker(new URL(`./inspect-thread${extname(import.meta.url)}`, import.meta.url), {
    name: 'inspection',
    workerData: setup,
  })
  try {
    const message = await firstMessage(
      worker,
      setup.configFile,
      (_said: FromInspectThread): _said is FromInspectThread => true,
    )
    if (message.type === 'failed') throw TrackError.fromWire(message.error)
    return message.inspection
  } finally {
    await worker.terminate()
  }
}
