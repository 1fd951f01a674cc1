/**
 * A policy's functions where no server is: nothing outside is written, sent or stopped, and nothing is asked unless the
 * caller says so. For tests of policies and for replays; lives on the thread of their Lua state.
 */
import { harmlessBindings, type Outside } from '../config/harmless-functions.ts'
import { SettingsCollector } from '../config/settings-collector.ts'
import { TrackError } from '../errors.ts'
import { createDnsResolvers } from '../lookup/dns-resolvers.ts'
import type { WriteLog } from '../lua/bindings/logging.ts'
import type { Registrations } from '../lua/bindings/registrations.ts'
import { createBindings, type BindingDeps, type Bindings } from '../lua/bindings/table.ts'
import type { HashSeed } from '../trends/item-hash.ts'
import type { RowTable } from '../trends/row-table.ts'
import type { TrendRegistry } from '../trends/trend-registry.ts'

interface OfflineParts {
  /** What runs the policy, for what it refuses: `a replay`. */
  readonly who: string
  readonly outside: Outside
  /** Where secrets are read from; none is made. */
  readonly stateDirectory: string
  readonly log: WriteLog
  readonly registrations: Registrations
  readonly registry: TrendRegistry
  readonly seed: HashSeed
  /** Those of the moment. */
  readonly rows: () => RowTable
  readonly geo: BindingDeps['geo']
  readonly isWebHook: (name: string) => boolean
  readonly isCustomStat: (name: string) => boolean
  /** Asked where `outside` allows it. */
  readonly http: BindingDeps['http']
}

export function offlineBindings(parts: OfflineParts): Bindings {
  const { who, outside, stateDirectory, registry, rows } = parts
  const settings = new SettingsCollector()
  const bindings = createBindings({
    settings,
    registrations: parts.registrations,
    log: parts.log,
    geo: parts.geo,
    http: parts.http,
    dns: createDnsResolvers({ onQuery: () => undefined }),
    trends: {
      registry,
      seed: () => parts.seed,
      readRow: (definition, key) => rows().read(definition, key),
      size: (definition) => rows().size(definition),
    },
    ask: () => Promise.reject(new TrackError('TRK_LUA_ERROR', `${who} has no stored reports and alerts`)),
    askServer: () => Promise.reject(new TrackError('TRK_CONSOLE_FAILED', 'this is no console')),
    globalNames: () => [],
    isWebHook: parts.isWebHook,
    isCustomStat: parts.isCustomStat,
    stateDirectory: () => stateDirectory,
    shutdown: () => undefined,
  })
  return harmlessBindings(bindings, {
    mode: 'replay',
    settings,
    stateDirectory: () => stateDirectory,
    outside,
  })
}
