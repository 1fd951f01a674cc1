/**
 * Runs of the policy that a test starts: they see what the test has set, and their effects take place when they have ended
 * well. Lives on the thread of the test's Lua state.
 */
import type { Alert } from '../alerts/alert.ts'
import type { LoginReport } from '../login/login-report.ts'
import type { PushLoginTuple } from '../lua/bindings/login-tuple.ts'
import type { Registrations } from '../lua/bindings/registrations.ts'
import type { CallOutcome } from '../lua/calls.ts'
import { LuaRaise } from '../lua/lua-raise.ts'
import type { LuaState } from '../lua/lua-state.ts'
import type { LuaFunction } from '../lua/lua-value.ts'
import { createRunContext, type RunContext } from '../lua/run-context.ts'
import { onlyInTests, type TestWorld } from './test-world.ts'

/** A failed run is a LuaRaise with the policy's message and traceback. */
export interface PolicyRuns {
  /** Answers the alerts that the report raised. */
  readonly report: (report: LoginReport) => readonly Alert[] | Promise<readonly Alert[]>
  readonly background: (name: string) => void | Promise<void>
}

interface RunDeps {
  readonly registrations: Registrations
  readonly state: () => LuaState
  readonly world: () => TestWorld | undefined
  readonly pushLoginTuple: () => PushLoginTuple
}

export function createPolicyRuns({ registrations, state, world, pushLoginTuple }: RunDeps): PolicyRuns {
  function start<T>(
    run: RunContext,
    fn: LuaFunction,
    end: (here: TestWorld) => T,
    args: Parameters<LuaState['run']>[2],
  ): T | Promise<T> {
    const here = world() ?? onlyInTests()
    here.settle()
    const finish = (outcome: CallOutcome): T => {
      if (outcome.ok) return end(here)
      const { message, traceback } = outcome.error
      throw new LuaRaise(`${run.name} failed: ${message}${traceback === '' ? '' : `\n${traceback}`}`)
    }
    const outcome = state().run(run, fn, args)
    return outcome instanceof Promise ? outcome.then(finish) : finish(outcome)
  }

  return {
    report(report) {
      const fn = registrations.report
      if (fn === undefined)
        throw new LuaRaise('there is no report function: call setReport, or name a configuration with -C')
      const run = createRunContext('report', 'report', report.t, report)
      return start(
        run,
        fn,
        (here) => raisedBy(here, run, report),
        (L) => pushLoginTuple()(L, report),
      )
    },
    background(name) {
      const fn = registrations.backgrounds.get(name)
      if (fn === undefined) throw new LuaRaise(`there is no background function ${JSON.stringify(name)}`)
      const run = createRunContext('background', name, (world() ?? onlyInTests()).nowSeconds)
      return start(run, fn, (here) => void here.commit(run), [])
    },
  }
}

/** Commits a report's run; the alerts that it raised, as they are then. */
function raisedBy(here: TestWorld, run: RunContext, report: LoginReport): readonly Alert[] {
  const rules = here.commit(run, here.nextReportId())
  here.noteReport(report, rules)
  const raised = (run.effects.alerts ?? []).filter((effect) => effect.kind === 'raise')
  return raised.flatMap(({ rule, key }) =>
    here.alerts.all().filter((alert) => alert.state === 'open' && alert.rule === rule && alert.key === key),
  )
}
