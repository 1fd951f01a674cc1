/**
 * Names that a configuration uses in functions and defines nowhere: webhooks, counters, databases. Pure.
 */
import { literalCalls } from './literal-calls.ts'

interface Names {
  has(name: string): boolean
}

/** What exists once the file has run. */
export interface DefinedNames {
  readonly webHooks: Names
  readonly customStats: Names
  readonly geoDatabases: Names
  readonly trends: Names
}

interface NamedThing {
  readonly kind: keyof DefinedNames
  readonly noun: string
  readonly verb: string
  readonly definers: readonly string[]
}

/** Functions that take the name of something, by their own name. */
const USERS: Readonly<Record<string, NamedThing>> = {
  runCustomWebHook: { kind: 'webHooks', noun: 'webhook', verb: 'name', definers: ['addCustomWebHook'] },
  incCustomStat: { kind: 'customStats', noun: 'counter', verb: 'name', definers: ['addCustomStat'] },
  getGeoIP2DB: { kind: 'geoDatabases', noun: 'GeoIP database', verb: 'open', definers: ['newGeoIP2DB'] },
  getStringStatsDB: {
    kind: 'trends',
    noun: 'trend database',
    verb: 'define',
    definers: ['newStringStatsDB', 'newShardedStringStatsDB'],
  },
}

const ALL_NAMES: ReadonlySet<string> = new Set([
  ...Object.keys(USERS),
  ...Object.values(USERS).flatMap(({ definers }) => definers),
])

/** In the order of the source. A definition that was not reached, such as one after `if`, counts as one. */
export function undefinedNames(
  source: string,
  defined: DefinedNames,
): readonly { readonly line: number; readonly message: string }[] {
  const calls = literalCalls(source, ALL_NAMES)
  return calls.flatMap(({ name, argument, line }) => {
    const thing = USERS[name]
    if (thing === undefined || defined[thing.kind].has(argument)) return []
    const isWritten = calls.some(
      (other) => thing.definers.includes(other.name) && other.argument === argument,
    )
    if (isWritten) return []
    // In the words of the function itself, so that a call that did run is not reported twice.
    const message = `there is no ${thing.noun} ${JSON.stringify(argument)}; ${thing.verb} it with ${thing.definers[0]}`
    return [{ line, message }]
  })
}
