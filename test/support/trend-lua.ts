/**
 * A Lua state with trend databases over rows in memory, and a short way to run Lua code as a policy function of a given
 * time.
 */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { addressTypes, addressFunctions } from '../../src/lua/bindings/addresses.ts'
import { trendDatabaseType, trendFunctions } from '../../src/lua/bindings/trend-databases.ts'
import type { CallOutcome } from '../../src/lua/lua-state.ts'
import type { LuaValue } from '../../src/lua/lua-value.ts'
import { createRunContext } from '../../src/lua/run-context.ts'
import { startLua, type LuaHarness } from './lua-harness.ts'
import { START_SECONDS } from './trend-fixtures.ts'
import { TrendRows } from './trend-rows.ts'

/** Four windows of ten seconds with a field of each type. */
export const DEFINE_ALL_FIELDS = `db = newStringStatsDB("test", 10, 4, {
  count = "int", ips = "hll", proto = "countmin", devices = "seen", place = "last", usual = "baseline", hitters = "top",
})`

export interface TrendLua {
  readonly lua: LuaHarness
  readonly rows: TrendRows
  /** Code as a report function. Calling it runs it up to its first wait; its changes are committed when it has ended well. */
  prepare(code: string): Promise<(atSeconds: number) => Promise<CallOutcome>>
  /** Prepares code and runs it. */
  run(code: string, atSeconds?: number): Promise<CallOutcome>
  /** What the code of `run` returns; it must not fail. */
  values(code: string, atSeconds?: number): Promise<readonly LuaValue[]>
  /** The message of the error with which the code of `run` fails. */
  error(code: string): Promise<string>
}

export async function startTrendLua(
  t: TestContext,
  { answers, configuration }: { readonly answers: 'at once' | 'later'; readonly configuration: string },
): Promise<TrendLua> {
  const rows = new TrendRows(answers)
  const lua = startLua(t, {
    mode: 'policy',
    functions: [...addressFunctions(), ...trendFunctions(rows)],
    types: [...addressTypes(), trendDatabaseType(rows)],
  })
  await lua.values(configuration)
  const trends: TrendLua = {
    lua,
    rows,
    async prepare(code) {
      const fn = await lua.fn(`function() ${code} end`)
      return async (atSeconds) => {
        const context = createRunContext('report', 'report', atSeconds)
        const outcome = await lua.state.run(context, fn, [])
        if (outcome.ok) rows.commit(context.effects.trends)
        return outcome
      }
    },
    async run(code, atSeconds = START_SECONDS) {
      const start = await trends.prepare(code)
      return start(atSeconds)
    },
    async values(code, atSeconds) {
      const outcome = await trends.run(code, atSeconds)
      assert.ok(outcome.ok, outcome.ok ? '' : outcome.error.message)
      return outcome.values
    },
    async error(code) {
      const outcome = await trends.run(code)
      assert.ok(!outcome.ok, 'the code must fail')
      return outcome.error.message
    },
  }
  return trends
}
