/**
 * Settings, as the parts want them. Pure but for the count of cores.
 */
import { createHash } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { extname } from 'node:path'
import type { AppOptions } from './app-options.ts'
import type { Configuration } from '../config/load-configuration.ts'
import type { Settings } from '../config/settings.ts'
import type { DeliveryOptions } from '../delivery/delivery.ts'
import { parseWebHookDefinition } from '../delivery/web-hook.ts'
import { TrackError } from '../errors.ts'
import type { HttpOptions } from '../http/http-ports.ts'
import { readOrMakeSecret } from '../config/state-directory.ts'
import type { TrendApplierSetup } from '../store/apply-trends.ts'
import type { EmbeddedStoreOptions } from '../store/embedded/embedded-store-options.ts'
import { HASH_SEED_BYTES } from '../trends/item-hash.ts'
import { NetmaskGroup } from '../login/netmask-group.ts'

/** Runs ahead of a call of a custom endpoint, over all workers, with which it is refused. */
const MAX_PENDING_FOR_CALLS = 10_000
const WORKER_MEMORY_MB = 512
const POLICY_LIMITS = { cpuMs: 2_000, wallMs: 30_000 } as const
const MAX_BODY_BYTES = 1024 * 1024

export function httpOptions(settings: Settings): HttpOptions {
  const acl = new NetmaskGroup()
  for (const mask of settings.acl) acl.addMask(mask)
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

export function deliveryOptions(settings: Settings): DeliveryOptions {
  return {
    hooks: settings.webHooks.map(({ name, keys }, index) => {
      const parsed = parseWebHookDefinition(name, new Map(Object.entries(keys)), index + 1)
      // The configuration thread has parsed the same keys; only a fault of ours gets here.
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
  { recover, maxPendingRuns }: Pick<AppOptions, 'recover' | 'maxPendingRuns'>,
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
    trends: { module, setup },
  }
}

export function policyOptions(
  configuration: Configuration,
  {
    regexesFile,
    environment,
    maxPendingRuns,
  }: Pick<AppOptions, 'regexesFile' | 'environment' | 'maxPendingRuns'>,
) {
  const { settings, configFile, configSource, stateDirectory, geoDatabases } = configuration
  return {
    workers: settings.reportThreads ?? settings.luaStates ?? Math.max(1, availableParallelism() - 1),
    maxPendingForCalls: maxPendingRuns ?? MAX_PENDING_FOR_CALLS,
    memoryLimitMb: WORKER_MEMORY_MB,
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
      timeSource: 'receipt' as const,
      hashSeed: hashSeedOf(stateDirectory),
    },
  }
}

/** Trends hash items under a key of their own, so that nobody can choose logins that count as one. */
function hashSeedOf(stateDirectory: string): Uint8Array {
  const { text } = readOrMakeSecret(stateDirectory, 'trend-hash-seed')
  return createHash('sha256').update(text).digest().subarray(0, HASH_SEED_BYTES)
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
