/**
 * The alerts' part of the wiring: routing, its metrics and what the configuration says of it. Main thread.
 */
import { randomUUID } from 'node:crypto'
import type { AlertEffect } from '../alerts/alert.ts'
import type { AlertConfig } from '../alerts/alert-notifier.ts'
import { type AlertService, createAlertService } from '../alerts/alert-service.ts'
import type { Settings } from '../config/settings.ts'
import type { NotificationRecord } from '../delivery/delivery-options.ts'
import { TrackError, messageOf } from '../errors.ts'
import { parseCron } from '../schedule/cron.ts'
import type { DeliveryNote } from '../store/alert-store.ts'
import type { Store } from '../store/store.ts'
import type { Log } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { StopSequence } from './stop-sequence.ts'

interface AlertParts {
  readonly settings: Settings
  readonly store: Pick<Store, 'alerts' | 'counts'>
  readonly metrics: Pick<Metrics, 'alerts' | 'alertNotifications'>
  readonly log: Log
  readonly stopping: StopSequence
  /** Unix milliseconds. */
  readonly now: () => number
  /** Messages for these receivers are in the outbox. */
  readonly onQueued: (receivers: ReadonlySet<string>) => void
}

export interface Alerts extends Omit<AlertService, 'configure' | 'noteDelivery'> {
  /**
   * Looks at what other settings say of alerts; the function that it answers takes it over.
   *
   * @throws TrackError TRK_CONFIG_INVALID when a route names a sink that there is not.
   */
  readonly prepare: (settings: Settings) => () => void
  /** A sink has tried to deliver a notification; for the history. */
  readonly noteTry: (record: NotificationRecord) => void
  /** A run has raised or resolved alerts, and that is stored. */
  readonly committed: (effects: readonly AlertEffect[]) => void
}

const STATES = { delivered: 'delivered', retry: 'retrying', dead: 'failed' } as const

/** Rules with a label of their own in a metric; those that come later share one. */
const MAX_RULE_LABELS = 200
const OTHER_RULES = 'other'

/** @throws TrackError TRK_CONFIG_INVALID when a route names a sink that there is not. */
export function startAlerts(parts: AlertParts): Alerts {
  const { settings, store, metrics, log, stopping, now } = parts
  const service = createAlertService(
    {
      store: store.alerts,
      now,
      log,
      newDeliveryId: randomUUID,
      onQueued: parts.onQueued,
      onSent: (sink) => metrics.alertNotifications.inc({ sink, status: 'queued' }),
    },
    alertConfig(settings),
  )
  const ruleLabel = createRuleLabels()
  const noteEvictions = createEvictionLog(parts)
  async function noteDelivery(note: DeliveryNote): Promise<void> {
    const { sink, state } = note
    try {
      if (await service.noteDelivery(note)) metrics.alertNotifications.inc({ sink, status: state })
    } catch (error) {
      log.error('what became of a notification could not be noted', { sink, error: messageOf(error) })
    }
  }
  service.start()
  stopping.add('alerts', () => service.stop())
  return {
    ...service,
    prepare(changed) {
      const config = alertConfig(changed)
      return () => service.configure(config)
    },
    committed(effects) {
      for (const effect of effects) {
        if (effect.kind === 'raise')
          metrics.alerts.inc({ rule: ruleLabel(effect.rule), severity: effect.severity })
      }
      noteEvictions()
      service.wake()
    },
    noteTry(record) {
      void noteDelivery({ ...record, state: STATES[record.state] })
    },
  }
}

function alertConfig({
  alertRoutes,
  alertSinks,
  alertSilences,
  maintenanceWindows,
}: Pick<Settings, 'alertRoutes' | 'alertSinks' | 'alertSilences' | 'maintenanceWindows'>): AlertConfig {
  const sinks = alertSinks.map(({ name }) => name)
  for (const route of alertRoutes) {
    const unknown = route.sinks.find((sink) => !sinks.includes(sink))
    if (unknown === undefined) continue
    throw new TrackError(
      'TRK_CONFIG_INVALID',
      `addAlertRoute names the sink ${JSON.stringify(unknown)}, which no addAlertSink adds`,
    )
  }
  const windows = maintenanceWindows.map((window) => {
    const parsed = parseCron(window.cron)
    // The configuration thread has parsed the same pattern; only a fault of ours gets here.
    if (!parsed.ok) throw new TrackError('TRK_CONFIG_INVALID', parsed.reason)
    return { ...window, cron: parsed.pattern }
  })
  return { routes: alertRoutes, sinks, silences: alertSilences, windows }
}

function createRuleLabels(): (rule: string) => string {
  const known = new Set<string>()
  return (rule) => {
    if (known.size < MAX_RULE_LABELS) known.add(rule)
    return known.has(rule) ? rule : OTHER_RULES
  }
}

/** Says when the store had to resolve alerts because there were too many, once for each time that it did. */
function createEvictionLog({ store, log }: Pick<AlertParts, 'store' | 'log'>): () => void {
  let said = 0
  return () => {
    const { evicted } = store.counts().alerts
    if (evicted === said) return
    log.error('too many alerts are open: the least severe and oldest were resolved', {
      alerts: evicted - said,
    })
    said = evicted
  }
}
