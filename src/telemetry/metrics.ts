/**
 * Prometheus metrics: names, labels and meaning are the reference's where it has them. Lives on the main thread.
 */
import { SEVERITIES } from '../alerts/severity.ts'
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client'
import { addScrapedMetrics, type ScrapedSources } from './scraped-metrics.ts'
import { workMetrics } from './work-metrics.ts'

/** The reference's buckets, seconds. */
const DURATION_BUCKETS = [0.001, 0.01, 0.1, 1]

/** What is read at the moment of a scrape. */
interface MetricSources extends ScrapedSources {
  readonly activeConnections: () => number
  /** Reports and calls that wait for a policy worker. */
  readonly workerQueue: () => number
  readonly webHookQueue: () => number
  /** The GeoIP databases in use, and when they were made; Unix milliseconds. */
  readonly geoDatabases: () => readonly { readonly name: string; readonly builtAtMs: number }[]
  /** Unix milliseconds. */
  readonly now: () => number
  /** Silences and maintenance windows in force. */
  readonly activeSilences: () => number
}

export type Metrics = ReturnType<typeof createMetrics>

export function createMetrics(sources: MetricSources) {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  addGauges(registry, sources)
  addGeoAges(registry, sources)
  addScrapedMetrics(registry, sources)
  addOpenAlerts(registry, sources)
  return {
    registry,
    ...reportMetrics(registry),
    ...webHookMetrics(registry),
    ...lookupMetrics(registry),
    ...reloadMetrics(registry),
    ...controlMetrics(registry),
    ...workMetrics(registry),
    ...alertMetrics(registry),
  }
}

function addGauges(registry: Registry, sources: MetricSources): void {
  const gauges = [
    ['trackalert_active_http_connections', 'Open HTTP connections.', sources.activeConnections],
    ['trackalert_web_queue_size', 'Reports and calls waiting for a policy worker.', sources.workerQueue],
    ['trackalert_webhook_queue_size', 'Webhooks waiting for delivery.', sources.webHookQueue],
    ['trackalert_backlog_reports', 'Reports stored and not yet run.', () => sources.store().backlogReports],
    ['trackalert_backlog_bytes', 'Size of these reports.', () => sources.store().backlogBytes],
    [
      'trackalert_failed_reports',
      'Reports kept because their run failed.',
      () => sources.store().failedReports,
    ],
    ['trackalert_dead_letters', 'Webhooks given up and kept.', () => sources.store().deadLetters],
    ['trackalert_history_reports', 'Done reports kept for getReports.', () => sources.store().historyReports],
    ['trackalert_silences_active', 'Silences and maintenance windows in force.', sources.activeSilences],
  ] as const
  for (const [name, help, read] of gauges) {
    // Read when scraped: a value that was set on change could be stale.
    const collect = function (this: Gauge): void {
      this.set(read())
    }
    registry.registerMetric(new Gauge({ name, help, registers: [], collect }))
  }
}

function addGeoAges(registry: Registry, { geoDatabases, now }: MetricSources): void {
  const collect = function (this: Gauge<'database'>): void {
    // One that a reload took out must not stay.
    this.reset()
    for (const { name, builtAtMs } of geoDatabases()) this.set({ database: name }, (now() - builtAtMs) / 1000)
  }
  registry.registerMetric(
    new Gauge({
      name: 'trackalert_geoip_age_seconds',
      help: 'Time since a GeoIP database was made.',
      labelNames: ['database'],
      registers: [],
      collect,
    }),
  )
}

function reloadMetrics(registry: Registry) {
  const lastReloadSeconds = new Gauge({
    name: 'trackalert_config_last_reload_success_timestamp_seconds',
    help: 'When the configuration in force was loaded, Unix time.',
    registers: [registry],
  })
  return {
    lastReloadSeconds,
    reloads: counter(
      registry,
      ['status'],
      'trackalert_reloads_total',
      'Times that the configuration was loaded again, by whether it was taken over.',
    ),
    geoReloads: counter(
      registry,
      ['database', 'status'],
      'trackalert_geoip_reloads_total',
      'Times that a GeoIP file was loaded again, by whether it was taken over.',
    ),
  }
}

function addOpenAlerts(registry: Registry, sources: MetricSources): void {
  const collect = function (this: Gauge): void {
    const { open } = sources.store().alerts
    for (const [rank, severity] of SEVERITIES.entries()) this.set({ severity }, open[rank] ?? 0)
  }
  const name = 'trackalert_alerts_open'
  const help = 'Alerts that are not resolved.'
  registry.registerMetric(new Gauge({ name, help, labelNames: ['severity'], registers: [], collect }))
}

function alertMetrics(registry: Registry) {
  return {
    alerts: counter(
      registry,
      ['rule', 'severity'],
      'trackalert_alerts_total',
      'Alerts raised, those raised again included.',
    ),
    alertNotifications: counter(
      registry,
      ['sink', 'status'],
      'trackalert_alert_notifications_total',
      'Notifications handed over for delivery, and tries of these by their outcome.',
    ),
  }
}

function reportMetrics(registry: Registry) {
  return {
    commands: counter(registry, ['cmd'], 'trackalert_commands_total', 'HTTP commands received.'),
    customStats: counter(
      registry,
      ['metric'],
      'trackalert_custom_stats_total',
      'Sum of incCustomStat calls.',
    ),
    reports: counter(registry, [], 'trackalert_reports_total', 'Login reports accepted.'),
    refused: counter(
      registry,
      ['reason'],
      'trackalert_refused_total',
      'Requests and connections refused, by why.',
    ),
    workerQueueSeconds: histogram(
      registry,
      [],
      'trackalert_worker_queue_duration_seconds',
      'Time that a run waited for its policy worker.',
    ),
    workerResponseSeconds: histogram(
      registry,
      [],
      'trackalert_worker_response_duration_seconds',
      'Time that a run took in its policy worker, waiting for other systems included.',
    ),
    runFailures: counter(
      registry,
      ['function', 'code'],
      'trackalert_run_failures_total',
      'Runs of Lua functions that failed.',
    ),
    workerRestarts: counter(
      registry,
      ['reason'],
      'trackalert_worker_restarts_total',
      'Policy workers replaced, by why.',
    ),
    backgroundSkipped: counter(
      registry,
      ['function'],
      'trackalert_background_skipped_total',
      'Runs left out because the last run of the same function had not ended.',
    ),
  }
}

function webHookMetrics(registry: Registry) {
  return {
    webHookEvents: counter(
      registry,
      [],
      'trackalert_webhook_events_total',
      'Webhooks handed over for delivery.',
    ),
    customWebHookEvents: counter(
      registry,
      ['id', 'url', 'status'],
      'trackalert_custom_webhook_events_total',
      'Tries of custom webhooks by their outcome.',
    ),
    webHooksDropped: counter(
      registry,
      ['reason'],
      'trackalert_webhooks_dropped_total',
      'Webhooks given up: queue full, refused by the receiver, too old, or undelivered at the stop.',
    ),
    sinkTries: counter(
      registry,
      ['sink', 'type', 'status'],
      'trackalert_sink_events_total',
      'Tries of alert sinks by their outcome.',
    ),
    notificationsDropped: counter(
      registry,
      ['sink', 'reason'],
      'trackalert_notifications_dropped_total',
      'Notifications of alerts given up: refused by the other side, or too old.',
    ),
  }
}

function lookupMetrics(registry: Registry) {
  return {
    dnsQueries: counter(registry, ['resolver'], 'trackalert_dns_queries_total', 'DNS queries of policies.'),
    dnsSeconds: histogram(
      registry,
      ['resolver'],
      'trackalert_dns_query_response_seconds',
      'Time that DNS queries of policies took.',
    ),
    geoDamage: counter(
      registry,
      ['database'],
      'trackalert_geoip_damaged_lookups_total',
      'GeoIP look-ups that met a damaged record.',
    ),
  }
}

function controlMetrics(registry: Registry) {
  return {
    consoleLines: counter(
      registry,
      ['status'],
      'trackalert_console_lines_total',
      'Lines of the console by how they ended.',
    ),
    controlConnections: new Gauge({
      name: 'trackalert_control_connections',
      help: 'Open connections of the control socket.',
      registers: [registry],
    }),
    controlLogins: counter(
      registry,
      [],
      'trackalert_control_logins_total',
      'Control connections that showed the key.',
    ),
    controlRefused: counter(
      registry,
      ['reason'],
      'trackalert_control_refused_total',
      'Control connections closed by the server, by why.',
    ),
  }
}

function counter<Label extends string>(
  registry: Registry,
  labelNames: readonly Label[],
  name: string,
  help: string,
): Counter<Label> {
  return new Counter({ name, help, labelNames, registers: [registry] })
}

function histogram<Label extends string>(
  registry: Registry,
  labelNames: readonly Label[],
  name: string,
  help: string,
): Histogram<Label> {
  return new Histogram({ name, help, labelNames, buckets: DURATION_BUCKETS, registers: [registry] })
}
