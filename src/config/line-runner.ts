/**
 * Runs lines of the console in the configuration's Lua state and says how each ended. Lives on the configuration thread.
 * Several lines may be under way: one that waits does not keep the others waiting.
 */
import { createRunContext, type RunContext } from '../lua/run-context.ts'
import type { CallOutcome } from '../lua/lua-state.ts'
import { effectsOf } from '../policy/run-effects.ts'
import type { ConfigurationState, ConnectedServer } from './configuration-state.ts'
import { LINE_LIMITS } from './line-limits.ts'
import type { LineOutcome } from './messages.ts'

export async function runConsoleLine(
  line: string,
  state: ConfigurationState,
  server: ConnectedServer | undefined,
): Promise<LineOutcome> {
  const run = createRunContext('console', 'console', Date.now() / 1000)
  const outcome = await state.lua.runLine(line, run, LINE_LIMITS)
  // The next line shall see what is committed until then, and nobody may wait for a console that nobody uses.
  server?.trends.releaseView()
  return outcome.ok
    ? {
        ok: true,
        text: answerText(outcome.values[0], state.printed.of(run)),
        effects: effectsOf(run, server?.trends),
      }
    : { ok: false, text: errorText(run, state, outcome) }
}

/** What a line returned counts; what it printed does when it returned nothing. */
function answerText(returned: unknown, printed: string): string {
  return typeof returned === 'string' ? returned : printed
}

function errorText(
  run: RunContext,
  state: ConfigurationState,
  outcome: Extract<CallOutcome, { readonly ok: false }>,
): string {
  const { message, traceback } = outcome.error
  return `${state.printed.of(run)}Error: ${message}${traceback === '' ? '' : `\n${traceback}`}`
}
