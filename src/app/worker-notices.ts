/**
 * What policy workers say on behalf of their Lua code: log lines, counts, a wish to stop. Main thread.
 */
import { unpackLines } from '../policy/log-lines.ts'
import type { WorkerNotice } from '../policy/worker-handle.ts'
import type { Log } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'

interface NoticeDeps {
  readonly log: Log
  readonly metrics: Metrics
  readonly onShutdownRequested: () => void
}

export function createNoticeHandler({ log, metrics, onShutdownRequested }: NoticeDeps) {
  return (notice: WorkerNotice): void => {
    switch (notice.type) {
      case 'log':
        log.verbatim(notice.level, notice.message, notice.fields)
        return
      case 'log-lines':
        for (const { level, message, fields } of unpackLines(notice.lines))
          log.verbatim(level, message, fields)
        return
      case 'dns-query':
        metrics.dnsQueries.inc({ resolver: notice.resolver })
        metrics.dnsSeconds.observe({ resolver: notice.resolver }, notice.durationMs / 1000)
        return
      case 'geo-damage':
        metrics.geoDamage.inc({ database: notice.database })
        return
      case 'shutdown':
        onShutdownRequested()
        return
      default:
        notice satisfies never
    }
  }
}
