/**
 * Settings, as the parts want them. Pure but for the count of cores.
 */
import { createHash } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { extname } from 'node:path'
import type { AppOptions } from './app-options.ts'
import type { Configuration } from '../config/load-configuration.ts'
import type { Settings } from '../config/settings.ts'
import type { DeliveryOptions } from '../delivery/delivery-options.ts'
import { parseAlertSink } from '../delivery/sinks/alert-sink.ts'
import { parseWebHookDefinition } from '../delivery/web-hook.ts'
import { TrackError } from '../errors.ts'
import type { HttpOptions } from '../http/http-ports.ts'
import { readOrMakeSecret, readSecret } from '../config/state-directory.ts'
import type { TrendApplierSetup } from '../store/apply-trends.ts'
import type { PolicyThreads } from '../policy/policy-thread-starter.ts'
import type { EmbeddedStoreOptions } from '../store/embedded/embedded-store-options.ts'
import type { StoreChange } from '../store/store.ts'
import { HASH_SEED_BYTES } from '../trends/item-hash.ts'
import { NetmaskGroup } from '../login/netmask-group.ts'

/** Runs ahead of a call of a custom endpoint, over all workers, with which it is refused. */
const MAX_PENDING_FOR_CALLS = 10_000
export const POLICY_LIMITS = { cpuMs: 2_000, wallMs: 30_000 } as const
const HASH_SEED_SECRET = 'trend-hash-seed'
const MAX_BODY_BYTES = 1024 * 1024

/** @param acl - who may use the listeners; the console may change it while they run */
export function httpOptions(settings: Settings, acl: NetmaskGroup): HttpOptions {
  return {
    listeners: settings.listeners,
    password: settings.webserverPassword ?? undefined,
    acl,
    metricsNoPassword: !settings.metricsNeedPassword,
    maxConnections: settings.maxConnections,
    bodyLimitBytes: MAX_BODY_BYTES,
    headersTimeoutMs: 10_000,
    requestTimeoutMs: 30_000,
    keepAliveTimeoutMs: 75_000,
  }
}

export function aclOf(settings: Settings): NetmaskGroup {
  const acl = new NetmaskGroup()
  for (const mask of settings.acl) acl.addMask(mask)
  return acl
}

export function deliveryOptions(settings: Settings): DeliveryOptions {
  return {
    hooks: settings.webHooks.map(({ name, keys }, index) => {
      const parsed = parseWebHookDefinition(name, new Map(Object.entries(keys)), index + 1)
      // The configuration thread has parsed the same keys; only a fault of ours gets here.
      if (!parsed.ok) throw new TrackError('TRK_CONFIG_INVALID', parsed.reason)
      return parsed.definition
    }),
    sinks: settings.alertSinks.map(({ name, type, keys }) => {
      const parsed = parseAlertSink(name, type, keys)
      if (!parsed.ok) throw new TrackError('TRK_CONFIG_INVALID', parsed.reason)
      return parsed.definition
    }),
    timeoutMs: settings.webHookTimeoutSeconds * 1000,
    connectionsPerReceiver: settings.webHookThreads * settings.webHookConnectionsPerThread,
    tls: settings.tlsClient,
  }
}

export function storeOptions(
  { settings, stateDirectory, trendDefinitions }: Configuration,
  { recover, maxPendingRuns, threads }: Pick<AppOptions, 'recover' | 'maxPendingRuns' | 'threads'>,
  nowMs: number,
): EmbeddedStoreOptions {
  const setup: TrendApplierSetup = { definitions: trendDefinitions }
  const module = new URL(`../store/apply-trends${extname(import.meta.url)}`, import.meta.url).href
  return {
    stateDirectory,
    recover,
    nowMs,
    durability: settings.durability,
    historyDays: settings.historyDays,
    historyMegabytes: settings.historyMegabytes,
    alertHistoryDays: settings.alertHistoryDays,
    ...(maxPendingRuns === undefined ? {} : { backlogReports: maxPendingRuns }),
    ...(threads === undefined ? {} : { threads: threads.store }),
    trends: { module, setup },
  }
}

/** What of the store's options can change while it is open. */
export function storeChange({ settings, trendDefinitions }: Configuration): StoreChange {
  const trendSetup: TrendApplierSetup = { definitions: trendDefinitions }
  const { durability, historyDays, historyMegabytes, alertHistoryDays } = settings
  return { durability, historyDays, historyMegabytes, alertHistoryDays, trendSetup }
}

/** Runs that wait or run, over all workers, with which a call of a custom endpoint is refused. */
export function maxPendingForCalls(maxPendingRuns: AppOptions['maxPendingRuns']): number {
  return maxPendingRuns ?? MAX_PENDING_FOR_CALLS
}

export function policyOptions(
  configuration: Configuration,
  {
    regexesFile,
    environment,
    maxPendingRuns,
    clock,
  }: Pick<AppOptions, 'regexesFile' | 'environment' | 'maxPendingRuns' | 'clock'>,
  threads: PolicyThreads,
) {
  const { settings, configFile, configSource, stateDirectory, geoDatabases } = configuration
  return {
    workers: settings.reportThreads ?? settings.luaStates ?? Math.max(1, availableParallelism() - 1),
    maxPendingForCalls: maxPendingForCalls(maxPendingRuns),
    threads,
    setup: {
      configFile,
      configSource,
      stateDirectory,
      regexesFile,
      webHookNames: settings.webHooks.map(({ name }) => name),
      customStats: settings.customStats,
      tlsClient: settings.tlsClient,
      geoDatabases,
      limits: POLICY_LIMITS,
      environment,
      timeSource: clock === undefined ? ('receipt' as const) : ('report' as const),
      hashSeed: hashSeedOf(stateDirectory),
    },
  }
}

/** Trends hash items under a key of their own, so that nobody can choose logins that count as one. */
export function hashSeedOf(stateDirectory: string): Uint8Array {
  return seedOf(readOrMakeSecret(stateDirectory, HASH_SEED_SECRET).text)
}

/** As `hashSeedOf`, of a state directory that a server has used; undefined where there is none. */
export function storedHashSeed(stateDirectory: string): Uint8Array | undefined {
  const { text } = readSecret(stateDirectory, HASH_SEED_SECRET)
  return text === undefined ? undefined : seedOf(text)
}

function seedOf(secret: string): Uint8Array {
  return createHash('sha256').update(secret).digest().subarray(0, HASH_SEED_BYTES)
}

/** What an operator most likely did not mean. */
export function warningsOf(settings: Settings): readonly string[] {
  const warnings: string[] = []
  if (settings.listeners.length === 0)
    warnings.push('no addListener() in the configuration: no report can come in')
  if (settings.webserverPassword === null && settings.listeners.length > 0) {
    warnings.push(
      'no setWebserverPassword() in the configuration: every request that needs the password is refused',
    )
  }
  if (!settings.hasReport)
    warnings.push('no setReport() in the configuration: reports are taken and nothing looks at them')
  return warnings
}
