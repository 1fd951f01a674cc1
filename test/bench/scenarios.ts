/**
 * Everything that is measured, by name. A new scenario is one entry here: what it runs, and the target that it
 * is held against.
 */
import { startRawServer, type LoadClient } from './bench-processes.ts'
import type { Figure } from './figures.ts'
import { measureManyKeys } from './many-keys.ts'
import { POLICIES } from './policies.ts'
import { measureReplay } from './replay.ts'
import { measureThroughput, type Workload } from './throughput.ts'
import type { Effort } from './turns.ts'
import { measureLatency, measureStart, measureWebHook } from './waits.ts'

export type Measure = (client: LoadClient, effort: Effort) => Promise<readonly Figure[]>

const throughput =
  (workload: Workload): Measure =>
  (client, effort) =>
    measureThroughput(client, effort, workload)

/** A policy that asks another system, which takes 5 ms to answer. */
const waiting: Measure = async (client, effort) => {
  const other = await startRawServer(5)
  try {
    return await measureThroughput(client, effort, {
      policy: POLICIES.waiting(other.url),
      share: 0.5,
      target: '>= 0.14',
    })
  } finally {
    other.close()
  }
}

const sevenOperations = { policy: POLICIES.sevenOperations } as const

export const SCENARIOS: Readonly<Record<string, Measure>> = {
  empty: throughput({ policy: POLICIES.empty, target: '>= 0.8' }),
  'seven-ops': throughput({ ...sevenOperations, target: '>= 0.6' }),
  'policy-pack': (client, effort) =>
    measureThroughput(client, effort, {
      policy: POLICIES.policyPack(),
      body: 'simulated',
      target: '>= 0.35',
    }),
  waiting,
  endpoint: throughput({ policy: POLICIES.endpoint, path: '/command/bench', body: 'endpoint' }),
  'connections-1': throughput({ ...sevenOperations, connections: 1, share: 0.2 }),
  'connections-512': throughput({ ...sevenOperations, connections: 512 }),
  'durability-none': throughput({ policy: POLICIES.sevenOperationsInMemory }),
  'million-keys': measureManyKeys,
  latency: measureLatency,
  start: measureStart,
  'report-to-webhook': measureWebHook,
  replay: measureReplay,
}
