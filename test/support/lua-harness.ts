/**
 * A Lua state for tests, with a few host functions, and a short way to evaluate Lua in it.
 */
import type { TestContext } from 'node:test'
import { results, type HostFunction, type HostType } from '../../src/lua/host-function.ts'
import {
  createLuaState,
  type CallOutcome,
  type LuaState,
  type LuaStateOptions,
} from '../../src/lua/lua-state.ts'
import type { LuaFunction, LuaValue } from '../../src/lua/lua-value.ts'

/** A host class as ComboAddress is one. */
export class Point {
  readonly x: number
  constructor(x: number) {
    this.x = x
  }
}

export interface LuaHarness {
  readonly state: LuaState
  /** What `keep(value)` was last called with in Lua. */
  readonly kept: { value: LuaValue; fn: LuaFunction | undefined }
  readonly printed: string[]
  readonly bugs: unknown[]
  /** Settles `wait(name)` calls: resolves the oldest of that name. */
  readonly settle: (name: string, settlement: { readonly value?: LuaValue; readonly error?: Error }) => void
  run(code: string): Promise<CallOutcome>
  /** Values of a chunk that must not fail. */
  values(code: string): Promise<readonly LuaValue[]>
  /** `tostring` of an expression's values, joined by a space; an error as `error: …`. */
  show(expression: string): Promise<string>
  /** The function that an expression gives. */
  fn(expression: string): Promise<LuaFunction>
}

export function startLua(t: TestContext | undefined, options: Partial<LuaStateOptions> = {}): LuaHarness {
  const kept: LuaHarness['kept'] = { value: undefined, fn: undefined }
  const printed: string[] = []
  const bugs: unknown[] = []
  const waits = new Map<string, PromiseWithResolvers<LuaValue>[]>()
  const state = createLuaState({
    mode: 'configuration',
    clock: () => 1_700_000_000_500,
    moduleFolder: '/nowhere',
    print: (text) => printed.push(text),
    onBug: (thrown) => bugs.push(thrown),
    ...options,
    functions: [...hostFunctions(kept, waits), ...(options.functions ?? [])],
    types: [pointType(), ...(options.types ?? [])],
  })
  t?.after(() => state.close())
  const harness: LuaHarness = {
    state,
    kept,
    printed,
    bugs,
    settle(name, { value, error }) {
      const resolvers = waits.get(name)?.shift()
      if (resolvers === undefined) throw new Error(`nothing waits for ${name}`)
      if (error === undefined) resolvers.resolve(value)
      else resolvers.reject(error)
    },
    run: async (code) => state.runText(code, 'test'),
    async values(code) {
      const outcome = await harness.run(code)
      if (!outcome.ok)
        throw new Error(`${outcome.error.code}: ${outcome.error.message}\n${outcome.error.traceback}`)
      return outcome.values
    },
    async show(expression) {
      const code = `local function show(ok, ...)
        local t = {...} for i = 1, select('#', ...) do t[i] = tostring(t[i]) end
        return (ok and '' or 'error: ') .. table.concat(t, ' ')
      end
      return show(pcall(function() return ${expression} end))`
      const [shown] = await harness.values(code)
      return typeof shown === 'string' ? shown : ''
    },
    async fn(expression) {
      await harness.values(`keep(${expression})`)
      if (kept.fn === undefined) throw new Error(`${expression} is no function`)
      return kept.fn
    },
  }
  return harness
}

function hostFunctions(
  kept: LuaHarness['kept'],
  waits: Map<string, PromiseWithResolvers<LuaValue>[]>,
): readonly HostFunction[] {
  const entry = (
    name: string,
    run: HostFunction['run'],
    scope: HostFunction['scope'] = 'anywhere',
  ): HostFunction => ({
    name,
    usage: `${name}()`,
    summary: 'For tests.',
    scope,
    run,
  })
  return [
    entry('keep', (call) => {
      kept.value = call.value(1)
      const isFunction = typeof kept.value === 'object' && kept.value !== null && 'kind' in kept.value
      kept.fn = isFunction ? call.function(1, 'function') : undefined
    }),
    entry('echo', (call) => call.value(1)),
    entry('two', () => results(1, 'two')),
    entry('point', (call) => new Point(call.number(1, 'x'))),
    entry('wait', (call) => {
      const name = call.string(1, 'name')
      const resolvers = Promise.withResolvers<LuaValue>()
      waits.set(name, [...(waits.get(name) ?? []), resolvers])
      return resolvers.promise
    }),
    entry('soon', async (call) => call.value(1)),
    entry('whoami', (call) => call.run?.name),
    entry('later.whoami', (call) => Promise.resolve().then(() => call.run?.name)),
    entry('arguments', (call) => [
      call.argumentCount,
      call.string(1, 'text'),
      call.optionalNumber(2, 'number', { min: 1, max: 10 }) ?? 'none',
      call.optionalBoolean(3, 'flag') ?? 'none',
      call.integer(4, 'count', { min: 0, max: 5 }),
    ]),
    entry('strings', (call) => call.arrayOfStrings(1, 'list')),
    entry('record', (call) => [...call.record(1, 'options').keys()]),
    entry('fail', (call) => call.fail('it is wrong')),
    entry('bug', () => {
      throw new TypeError('undefined is not a function')
    }),
    entry('settingOnly', () => 'done', 'configuration'),
    entry('register', () => 'registered', 'registration'),
  ]
}

function pointType(): HostType {
  const self = { scope: 'anywhere', usage: 'point:x()', summary: 'For tests.' } as const
  return {
    name: 'Point',
    hostClass: Point,
    text: (point) => (point instanceof Point ? `point ${point.x}` : ''),
    equals: (a, b) => a instanceof Point && b instanceof Point && a.x === b.x,
    methods: [
      { ...self, name: 'Point:getX', run: (call) => call.object(1, 'self', Point).x },
      {
        ...self,
        name: 'Point:add',
        run: (call) => new Point(call.object(1, 'self', Point).x + call.number(2, 'dx')),
      },
    ],
  }
}
