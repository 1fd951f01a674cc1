/**
 * Functions with which the configuration defines trend databases, and methods for their settings. Every Lua state runs
 * them, so that each thread knows the same definitions; they have no access to data.
 */
import type { TrendDefinition, TrendOptions } from '../../trends/trend-definition.ts'
import type { TrendRegistry } from '../../trends/trend-registry.ts'
import type { HostCall, HostFunction } from '../host-function.ts'
import type { LuaValue } from '../lua-value.ts'
import { StringStatsDb } from './string-stats-db.ts'

/** Options of newStringStatsDB, by the names that they have in Lua. */
const LUA_OPTIONS = {
  maxItems: 'maxItemsPerKey',
  topCapacity: 'topCapacity',
  utcOffsetMinutes: 'utcOffsetMinutes',
} as const satisfies Readonly<Record<string, keyof TrendOptions>>

interface TrendDefinitionDeps {
  readonly registry: TrendRegistry
}

export function trendDefinitionFunctions({ registry }: TrendDefinitionDeps): readonly HostFunction[] {
  const databases = new Map<string, StringStatsDb>()
  /** What setHLLBits and setCountMinBits have said so far, in this state. */
  let sketchOptions: Partial<TrendOptions> = {}

  function define(call: HostCall, optionsAt: number): StringStatsDb {
    const outcome = registry.define({
      name: call.string(1, 'name'),
      windowSeconds: call.number(2, 'windowSeconds'),
      windowCount: call.number(3, 'windows'),
      fields: fieldsArgument(call),
      options: { ...sketchOptions, ...optionsArgument(call, optionsAt) },
    })
    return outcome.ok ? databaseOf(outcome.definition) : call.fail(outcome.reason)
  }

  /** The same object for the same name, so that Lua can compare databases and policies may ask for one in every run. */
  function databaseOf(definition: TrendDefinition): StringStatsDb {
    const known = databases.get(definition.name)
    if (known !== undefined) return known
    const made = new StringStatsDb(registry, definition)
    databases.set(definition.name, made)
    return made
  }

  return [
    {
      name: 'newStringStatsDB',
      usage: 'newStringStatsDB(name, windowSeconds, windows, fields, options)',
      summary: 'Defines a trend database: its windows, and a table from field name to type.',
      scope: 'registration',
      run: (call) => define(call, 5),
    },
    {
      name: 'newShardedStringStatsDB',
      usage: 'newShardedStringStatsDB(name, windowSeconds, windows, fields, shards, options)',
      summary: 'The same as newStringStatsDB; the number of shards has no effect.',
      scope: 'registration',
      run(call) {
        call.integer(5, 'shards', { min: 1, max: 65_536 })
        return define(call, 6)
      },
    },
    {
      name: 'getStringStatsDB',
      usage: 'getStringStatsDB(name)',
      summary: 'The trend database of this name.',
      scope: 'anywhere',
      run(call) {
        const name = call.string(1, 'name')
        const definition = registry.get(name)
        return definition === undefined
          ? call.fail(`there is no trend database ${JSON.stringify(name)}; define it with newStringStatsDB`)
          : databaseOf(definition)
      },
    },
    {
      name: 'setHLLBits',
      usage: 'setHLLBits(bits)',
      summary: 'Sets how exact the hll fields of databases are that are defined after it.',
      scope: 'registration',
      run(call) {
        sketchOptions = { ...sketchOptions, hllBits: call.integer(1, 'bits', { min: 4, max: 16 }) }
      },
    },
    {
      name: 'setCountMinBits',
      usage: 'setCountMinBits(eps, gamma)',
      summary: 'Sets how exact the countmin fields of databases are that are defined after it.',
      scope: 'registration',
      run(call) {
        const share = { min: 0.001, max: 1 }
        sketchOptions = {
          ...sketchOptions,
          countMinEps: call.number(1, 'eps', share),
          countMinGamma: call.number(2, 'gamma', share),
        }
      },
    },
  ]
}

/** Methods of StringStatsDB for its definition. */
export function trendSettingMethods({ registry }: TrendDefinitionDeps): readonly HostFunction[] {
  const setting = (
    method: string,
    argument: string,
    summary: string,
    change: (call: HostCall) => Partial<TrendOptions>,
  ): HostFunction => ({
    name: `StringStatsDB:${method}`,
    usage: `db:${method}(${argument})`,
    summary,
    scope: 'registration',
    run(call) {
      const { definition } = call.object(1, 'self', StringStatsDb)
      registry.adopt({ ...definition, ...change(call) })
    },
  })
  const asking = (
    method: string,
    summary: string,
    read: (definition: TrendDefinition) => LuaValue,
  ): HostFunction => ({
    name: `StringStatsDB:${method}`,
    usage: `db:${method}()`,
    summary,
    scope: 'anywhere',
    run: (call) => read(call.object(1, 'self', StringStatsDb).definition),
  })
  return [
    asking('twGetName', 'The name of the database.', ({ name }) => name),
    setting(
      'twSetv4Prefix',
      'bits',
      'Sets how many bits of an IPv4 address count when it is a key.',
      (call) => ({
        v4Prefix: call.integer(2, 'bits', { min: 0, max: 32 }),
      }),
    ),
    setting(
      'twSetv6Prefix',
      'bits',
      'Sets how many bits of an IPv6 address count when it is a key.',
      (call) => ({
        v6Prefix: call.integer(2, 'bits', { min: 0, max: 128 }),
      }),
    ),
    asking('twGetv4Prefix', 'How many bits of an IPv4 address count.', ({ v4Prefix }) => v4Prefix),
    asking('twGetv6Prefix', 'How many bits of an IPv6 address count.', ({ v6Prefix }) => v6Prefix),
    setting(
      'twSetMaxSize',
      'keys',
      'Sets how many keys there may be; then those changed longest ago go.',
      (call) => ({
        maxKeys: call.integer(2, 'keys', { min: 1, max: 1_000_000_000 }),
      }),
    ),
    setting(
      'twSetExpireSleep',
      'milliseconds',
      'Accepted for the sake of wforce and without effect.',
      (call) => {
        call.number(2, 'milliseconds')
        return {}
      },
    ),
    setting('twEnableReplication', '', 'Accepted for the sake of wforce and without effect.', () => ({})),
  ]
}

function fieldsArgument(call: HostCall): ReadonlyMap<string, string> {
  const fields = new Map<string, string>()
  for (const [name, type] of call.record(4, 'fields')) {
    if (typeof type !== 'string')
      return call.fail(`the type of field "${name}" must be a string, such as "int"`)
    fields.set(name, type)
  }
  return fields
}

function optionsArgument(call: HostCall, position: number): Partial<TrendOptions> {
  const options: { -readonly [Name in keyof TrendOptions]?: number } = {}
  for (const [name, value] of call.optionalRecord(position, 'options') ?? []) {
    if (!isLuaOption(name)) {
      return call.fail(
        `a trend database has no option "${name}"; known are ${Object.keys(LUA_OPTIONS).join(', ')}`,
      )
    }
    if (typeof value !== 'number') return call.fail(`the option ${name} must be a number`)
    options[LUA_OPTIONS[name]] = value
  }
  return options
}

function isLuaOption(name: string): name is keyof typeof LUA_OPTIONS {
  return Object.hasOwn(LUA_OPTIONS, name)
}
