/**
 * The Lua state in which a file of policy tests runs: that of a policy worker, with trends in memory, a faked GeoIP, no
 * network, and the functions of tests. Lives on the thread that runs the tests.
 */
import { dirname } from 'node:path'
import { createDeviceParser } from '../enrich/device/device-parser.ts'
import { loadDeviceRules } from '../enrich/device/device-rules.ts'
import { Registrations } from '../lua/bindings/registrations.ts'
import { createLoginTuples } from '../lua/bindings/login-tuple.ts'
import type { CallOutcome } from '../lua/calls.ts'
import { LuaRaise } from '../lua/lua-raise.ts'
import { createLuaState, type LuaState } from '../lua/lua-state.ts'
import type { LuaFunction } from '../lua/lua-value.ts'
import { offlineBindings } from '../policy/offline-bindings.ts'
import { FIXED_SEED } from '../trends/item-hash.ts'
import { TrendRegistry } from '../trends/trend-registry.ts'
import type { MatchPattern } from './test-alerts.ts'
import { testFunctions } from './test-functions.ts'
import { testGeoDatabases, TestGeography } from './test-geography.ts'
import { createPolicyRuns } from './test-runs.ts'
import { onlyInTests, TestWorld } from './test-world.ts'

export interface TestStateOptions {
  /** The configuration whose policy is tested; undefined: the test file sets one itself. */
  readonly configFile: string | undefined
  /** Where modules are looked for when there is no configuration. */
  readonly folder: string
  /** User-agent rules that are tried before the built-in ones. */
  readonly regexesFile: string
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly print: (text: string) => void
  readonly onLine: ((chunkName: Uint8Array, line: number) => void) | undefined
}

interface DefinedTest {
  readonly name: string
  readonly run: LuaFunction
}

export interface TestState {
  /** Runs a Lua file: the configuration, then the file of tests. */
  readonly runFile: (source: Uint8Array, path: string) => Promise<CallOutcome>
  /** In the order of the file. */
  readonly tests: () => readonly DefinedTest[]
  readonly runTest: (test: DefinedTest) => Promise<CallOutcome>
  readonly close: () => void
}

/** A test may run thousands of reports; it must still end. */
const LIMITS = { cpuMs: 120_000, wallMs: 300_000 } as const

/** Makes the state; nothing has run in it yet. */
export async function createTestState(options: TestStateOptions): Promise<TestState> {
  const registrations = new Registrations()
  const registry = new TrendRegistry()
  const geography = new TestGeography()
  const tests: DefinedTest[] = []
  let world: TestWorld | undefined
  /** Not there yet while the state is made. */
  let made: LuaState | undefined
  let matches: MatchPattern = () => false
  const state = (): LuaState => made ?? onlyInTests()
  const pushLoginTuple = lazily(() =>
    createLoginTuples(state(), createDeviceParser(loadDeviceRules({ ownRulesFile: options.regexesFile }))),
  )

  const runs = createPolicyRuns({ registrations, state, world: () => world, pushLoginTuple })
  const bindings = offlineBindings({
    who: 'a test of a policy',
    outside: { kind: 'silent' },
    stateDirectory: options.folder,
    log: (level, message, fields) => options.print(`${level}: ${message} ${JSON.stringify(fields)}\n`),
    registrations,
    registry,
    seed: FIXED_SEED,
    rows: () => (world ?? onlyInTests()).trends,
    geo: testGeoDatabases(geography),
    isWebHook: () => true,
    isCustomStat: () => true,
    http: { client: onlyInTests },
  })
  made = createLuaState({
    ...bindings,
    functions: [
      ...bindings.functions,
      ...testFunctions({
        define: (name, run) => tests.push({ name, run }),
        world: () => world,
        runs,
        geography,
        matches: (text, pattern) => matches(text, pattern),
      }),
    ],
    mode: 'policy',
    clock: () => (made?.currentRun?.nowSeconds ?? Date.now() / 1000) * 1000,
    moduleFolder: options.configFile === undefined ? options.folder : dirname(options.configFile),
    limits: LIMITS,
    print: options.print,
    environment: options.environment,
    changesFiles: false,
    ...(options.onLine === undefined ? {} : { onLine: options.onLine }),
  })
  matches = await patternMatcher(made)

  return {
    runFile: async (source, path) => await state().runSource(source, path),
    tests: () => tests,
    async runTest({ name, run }) {
      geography.clear()
      world = new TestWorld(name, registry)
      const outcome = await state().run(world.run, run, [])
      world = undefined
      return outcome
    },
    close: () => state().close(),
  }
}

/** string.find of Lua itself, so that a pattern means what it means everywhere in a policy. */
async function patternMatcher(state: LuaState): Promise<MatchPattern> {
  const loaded = await state.runText('return function(s, p) return s:find(p) ~= nil end', 'expectAlert')
  const [find] = loaded.ok ? loaded.values : []
  return (text, pattern) => {
    if (!isFunction(find)) return false
    const outcome = state.run(undefined, find, [text, pattern])
    if (outcome instanceof Promise) return false
    if (!outcome.ok) throw new LuaRaise(outcome.error.message)
    return outcome.values[0] === true
  }
}

function isFunction(value: unknown): value is LuaFunction {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'lua-function'
}

function lazily<T>(make: () => T): () => T {
  let value: T | undefined
  return () => (value ??= make())
}
