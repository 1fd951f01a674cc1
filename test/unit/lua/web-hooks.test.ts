/** How long the body of a custom webhook may be: bytes as they leave, not characters. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SettingsCollector } from '../../../src/config/settings-collector.ts'
import { webHookFunctions } from '../../../src/lua/bindings/web-hooks.ts'
import { createRunContext } from '../../../src/lua/run-context.ts'
import { startLua } from '../../support/lua-harness.ts'

for (const [what, letter, bytes] of [
  ['one byte', 'x', 1],
  ['three bytes', '\u20ac', 3],
  ['a byte that is no UTF-8', String.raw`\255`, 1],
] as const) {
  test(`a body has at most 1 MiB, of letters of ${what}`, async (t) => {
    const lua = startLua(t, {
      mode: 'policy',
      functions: webHookFunctions({ settings: new SettingsCollector(), isWebHook: () => true }),
    })
    const run = createRunContext('report', 'report', 1)
    const most = Math.floor((1024 * 1024) / bytes)
    const send = async (letters: number) =>
      lua.state.run(
        run,
        await lua.fn(`function() runCustomWebHook("h", string.rep("${letter}", ${letters})) end`),
        [],
      )
    assert.ok((await send(most)).ok)
    const refused = await send(most + 1)
    assert.match(refused.ok ? '' : refused.error.message, /the body is longer than 1048576 bytes/)
    assert.equal(run.effects.webHooks.length, 1)
  })
}
