/**
 * A line of the console in a policy state: it has run in the configuration's state, where it had its effects and was
 * answered; here it changes Lua variables, as it would have in every state of the reference, and what else it does is
 * dropped. Lives on a policy worker.
 */
import type { LuaState } from '../lua/lua-state.ts'
import { createRunContext } from '../lua/run-context.ts'
import type { FromWorker } from './messages.ts'

export async function repeatConsoleLine(
  line: string,
  lua: LuaState,
  post: (message: FromWorker) => void,
): Promise<void> {
  const outcome = await lua.runLine(line, createRunContext('console', 'console', Date.now() / 1000))
  if (outcome.ok) return
  post({
    type: 'log',
    level: 'warn',
    message: 'a line of the console failed in a policy worker, whose Lua variables may differ from now on',
    fields: { error: outcome.error.message },
  })
}
