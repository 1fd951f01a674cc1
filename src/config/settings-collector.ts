/**
 * Gathers settings while the configuration file runs, in the raw form that `settingsFrom` checks. Lives on the
 * configuration thread; a policy state has one too that nobody reads, since there its functions do nothing.
 */
import type { AlertRoute } from '../alerts/alert-route.ts'
import type { AlertPattern } from '../alerts/alert-matcher.ts'
import type { Silence } from '../alerts/silence.ts'
import type { SinkKeyValues } from '../delivery/sinks/sink-keys.ts'
import type { LogFields, LogLevel } from '../telemetry/log.ts'
import type { Durability } from '../store/store.ts'
import type { FileVersion } from '../enrich/geoip/geo-database-file.ts'
import { TrendRegistry } from '../trends/trend-registry.ts'
import { DEFAULT_ACL } from './default-acl.ts'
import type { NumberSettingName } from './number-settings.ts'

export interface CollectedListener {
  readonly host: string
  readonly port: number
  readonly tls: null | {
    readonly certificateFile: string
    readonly keyFile: string
    readonly options: Readonly<Record<string, string>>
  }
}

interface CollectedSchedule {
  readonly background: string
  readonly when:
    | { readonly kind: 'cron'; readonly pattern: string }
    | { readonly kind: 'interval'; readonly seconds: number }
}

/** A GeoIP file that the configuration opened: shared with the main thread and every worker, not copied. */
export interface CollectedGeoDatabase {
  readonly name: string
  readonly path: string
  readonly bytes: SharedArrayBuffer
  /** The file as it was when it was read. */
  readonly version: FileVersion
  /** When the database was made, by its own account; Unix milliseconds. */
  readonly builtAtMs: number
}

/** As addAlertSink got it, checked. */
interface CollectedAlertSink {
  readonly type: string
  readonly keys: SinkKeyValues
}

interface CollectedWindow extends AlertPattern {
  readonly id: string
  /** Cron pattern. */
  readonly cron: string
  readonly durationMs: number
  readonly comment: string
}

/** A line for the log. */
export interface Notice {
  readonly level: LogLevel
  readonly message: string
  readonly fields: LogFields
}

/** What the configuration file said so far. Later calls replace or add as the functions' manual entries say. */
export class SettingsCollector {
  readonly listeners: CollectedListener[] = []
  readonly numbers = new Map<NumberSettingName, number>()
  readonly webHooks = new Map<string, Readonly<Record<string, string>>>()
  /** By name. */
  readonly alertSinks = new Map<string, CollectedAlertSink>()
  readonly customStats = new Set<string>()
  readonly customEndpoints = new Set<string>()
  readonly backgrounds = new Set<string>()
  readonly eventHandlers = new Set<string>()
  readonly schedules: CollectedSchedule[] = []
  readonly geoDatabases = new Map<string, CollectedGeoDatabase>()
  /** undefined: the default ranges; setACL replaces them. */
  acl: readonly string[] | undefined = undefined
  /** What addACL has added to these since the last setACL. */
  readonly addedAcl: string[] = []
  webserverPassword: string | null = null
  metricsNeedPassword = true
  controlSocket: { readonly host: string; readonly port: number } | null = null
  controlKey: string | null = null
  luaStates: number | null = null
  reportThreads: number | null = null
  hasReport = false
  durability: Durability = 'fsync'
  history: { readonly days: number; readonly megabytes: number } | undefined = undefined
  alertHistoryDays: number | undefined = undefined
  readonly alertRoutes: AlertRoute[] = []
  readonly alertSilences: Silence[] = []
  readonly maintenanceWindows: CollectedWindow[] = []
  /** Trend databases by name, as they are once the file has run. */
  readonly trends = new TrendRegistry()
  stateDirectory: string | undefined = undefined
  /** A secret was read: the directory cannot change any more. */
  stateDirectoryIsUsed = false
  /** For the log, once the settings are known to be good. */
  readonly notices: Notice[] = []
  readonly tlsClient = {
    verifyPeer: true,
    verifyHost: true,
    caBundleFile: null as string | null,
    clientCertificateFile: null as string | null,
    clientKeyFile: null as string | null,
  }

  /** Tells the operator something worth knowing: a deprecated call, a new secret. */
  notice(message: string): void {
    this.notices.push({ level: 'warn', message, fields: {} })
  }

  /** Plain data for the main thread, to be checked there by `settingsFrom`. */
  toRaw(): Readonly<Record<string, unknown>> {
    return {
      ...Object.fromEntries(this.numbers),
      listeners: this.listeners,
      acl: [...(this.acl ?? DEFAULT_ACL), ...this.addedAcl],
      webserverPassword: this.webserverPassword,
      metricsNeedPassword: this.metricsNeedPassword,
      controlSocket: this.controlSocket,
      controlKey: this.controlKey,
      luaStates: this.luaStates,
      reportThreads: this.reportThreads,
      webHooks: Array.from(this.webHooks, ([name, keys]) => ({ name, keys })),
      alertSinks: Array.from(this.alertSinks, ([name, { type, keys }]) => ({ name, type, keys })),
      customStats: [...this.customStats],
      customEndpoints: [...this.customEndpoints],
      backgrounds: [...this.backgrounds],
      eventHandlers: [...this.eventHandlers],
      schedules: this.schedules,
      hasReport: this.hasReport,
      durability: this.durability,
      ...(this.history === undefined
        ? {}
        : { historyDays: this.history.days, historyMegabytes: this.history.megabytes }),
      ...(this.alertHistoryDays === undefined ? {} : { alertHistoryDays: this.alertHistoryDays }),
      alertRoutes: this.alertRoutes,
      alertSilences: this.alertSilences,
      maintenanceWindows: this.maintenanceWindows,
      tlsClient: this.tlsClient,
    }
  }
}
