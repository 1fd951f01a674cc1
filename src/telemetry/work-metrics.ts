/**
 * Metrics of the work itself: runs in the policy workers, and batches on their way to the disk. Lives on the main thread.
 */
import { Counter, Histogram, type Registry } from 'prom-client'
import type { WrittenBatch } from '../store/store.ts'

/** From a run that only counts to one that asks a slow system, seconds. */
const RUN_BUCKETS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1, 5, 30]
/** From memory to a disk in trouble, seconds. */
const WRITE_BUCKETS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2]
const BATCH_BUCKETS = [1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304]

export function workMetrics(registry: Registry) {
  const writeSeconds = new Histogram({
    name: 'trackalert_store_write_duration_seconds',
    help: 'Time that writing a batch took, with its fsync.',
    buckets: WRITE_BUCKETS,
    registers: [registry],
  })
  const batchBytes = new Histogram({
    name: 'trackalert_store_batch_bytes',
    help: 'Sizes of the batches written.',
    buckets: BATCH_BUCKETS,
    registers: [registry],
  })
  return {
    /** The names of functions are those of the configuration: a bounded number. */
    runSeconds: new Histogram({
      name: 'trackalert_run_duration_seconds',
      help: 'Time that runs of Lua functions took, waiting for other systems included.',
      labelNames: ['function'],
      buckets: RUN_BUCKETS,
      registers: [registry],
    }),
    workerCpuSeconds: new Counter({
      name: 'trackalert_policy_cpu_seconds_total',
      help: 'Processor time of the policy workers: Lua, and what it takes to run it.',
      registers: [registry],
    }),
    storeRestarts: new Counter({
      name: 'trackalert_store_restarts_total',
      help: 'Store threads that were lost and replaced.',
      registers: [registry],
    }),
    countBatch({ durationMs, sizeBytes }: WrittenBatch): void {
      writeSeconds.observe(durationMs / 1000)
      batchBytes.observe(sizeBytes)
    },
  }
}
