/**
 * What operators do while the server runs: the console, and reloads, which either can ask for. Main thread.
 */
import type { ActionResult } from '../console/console-questions.ts'
import type { Delivery } from '../delivery/delivery.ts'
import type { Outbox } from '../delivery/outbox.ts'
import type { Statistics } from '../telemetry/statistics.ts'
import type { ReloadOutcome } from './reloader.ts'
import { createConsole } from './start-console.ts'
import { startReloads, type Reloads, type ReloadsParts } from './start-reloads.ts'

interface OperationsParts extends Omit<ReloadsParts, 'console'> {
  readonly outbox: Pick<Outbox, 'size'>
  readonly delivery: Delivery
  readonly statistics: Statistics
  readonly traffic: { readonly reports: number }
}

/** @throws TrackError TRK_LISTEN_FAILED when the control socket cannot be opened. */
export async function startOperations(parts: OperationsParts): Promise<Reloads> {
  const { options, inForce, policy, delivery, outbox, traffic } = parts
  const console = createConsole({
    ...parts,
    log: options.log,
    version: options.version,
    onShutdownRequested: options.onShutdownRequested,
    reportCount: () => traffic.reports,
    settings: () => inForce.settings,
    acl: () => inForce.acl,
    webHooks: delivery.counters,
    alertSinks: delivery.sinks,
    webHooksWaiting: () => outbox.size,
    workers: () => policy.runs.pool.workers(),
    // No line runs before the console is started.
    reloadGeoDatabases: async () =>
      asAction(await reloads.reloadGeoIp(), 'the GeoIP files were loaded again'),
    reloadConfiguration: async () => asAction(await reloads.reload(), 'the configuration was loaded again'),
  })
  const reloads = startReloads({ ...parts, console })
  await console.start()
  return reloads
}

function asAction(outcome: ReloadOutcome, done: string): ActionResult {
  return outcome.ok ? { ok: true, text: done } : { ok: false, text: outcome.reason }
}
