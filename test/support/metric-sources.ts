/** What metrics read of a server that does nothing. */
import { NO_COUNTS } from '../../src/store/store.ts'
import type { createMetrics } from '../../src/telemetry/metrics.ts'

export const NO_SOURCES: Parameters<typeof createMetrics>[0] = {
  activeConnections: () => 0,
  workerQueue: () => 0,
  webHookQueue: () => 0,
  store: () => NO_COUNTS,
  geoDatabases: () => [],
  isReady: () => true,
  workers: () => [],
  freeBytes: () => 0,
  logLinesDropped: () => ({ output: 0, syslog: 0 }),
  versions: { version: 'test', node: 'test' },
  now: () => 0,
  activeSilences: () => 0,
}
