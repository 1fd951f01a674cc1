/** The service of alerts over a store, and what it has put into the outbox for a sink. */
import { randomUUID } from 'node:crypto'
import type { AlertConfig } from '../../src/alerts/alert-notifier.ts'
import { type AlertRoute, ROUTE_DEFAULTS } from '../../src/alerts/alert-route.ts'
import { type AlertService, createAlertService } from '../../src/alerts/alert-service.ts'
import type { AlertNotification } from '../../src/delivery/alert-notification.ts'
import type { AlertStore } from '../../src/store/alert-store.ts'
import type { Store } from '../../src/store/store.ts'
import { rememberingLog, type RememberedLine } from './silent-log.ts'

export const SINK = 'mail'

export interface AlertRig {
  readonly service: AlertService
  /** What the service logged. */
  readonly lines: readonly RememberedLine[]
  /** Raised or resolved alerts have been committed. */
  readonly wake: () => void
}

/** A route to SINK that waits for nothing. */
export function promptRoute(fields: Partial<AlertRoute> = {}): AlertRoute {
  return { ...ROUTE_DEFAULTS, sinks: [SINK], groupWaitMs: 0, groupIntervalMs: 1, ...fields }
}

export function configOf(routes: readonly AlertRoute[], more: Partial<AlertConfig> = {}): AlertConfig {
  return { routes, sinks: [SINK], silences: [], windows: [], ...more }
}

/** Starts the service; the caller stops it before the store is closed. */
export function startAlertService(store: AlertStore, config: AlertConfig): AlertRig {
  const { log, lines } = rememberingLog()
  const service = createAlertService(
    {
      store,
      now: Date.now,
      newDeliveryId: randomUUID,
      log,
      onQueued: () => undefined,
      onSent: () => undefined,
    },
    config,
  )
  service.start()
  return { service, lines, wake: () => service.wake() }
}

export interface Told {
  readonly deliveryId: string
  readonly notification: AlertNotification
}

/** Takes what waits for SINK out of the outbox. */
export async function takeTold(store: Pick<Store, 'claimDue' | 'settleDelivered'>): Promise<readonly Told[]> {
  const { entries } = await store.claimDue(`sink:${SINK}`, Date.now() + 86_400_000, 100_000)
  await store.settleDelivered(entries.map(({ id }) => id))
  return entries.map(({ deliveryId, body }) => ({
    deliveryId,
    notification: JSON.parse(body) as AlertNotification,
  }))
}
