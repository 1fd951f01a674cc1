/** Every function that can be called on the console, with any arguments: it answers, the server lives, errors change nothing. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { connectConsole, CONTROL_CONFIGURATION } from '../support/console-client.ts'
import { BASE_CONFIGURATION, startServer } from '../support/server-process.ts'

const SECONDS = Number(process.env['FUZZ_SECONDS'] ?? 5)
const ARGUMENTS = [
  'nil',
  'true',
  '-1',
  '0',
  '1',
  '2.5',
  '1e308',
  '0/0',
  '""',
  '"\\0\\255"',
  '"192.0.2.0/24"',
  '"logins"',
  '("x"):rep(100000)',
  '{}',
  '{ 1, 2 }',
  '{ {} }',
  '{ url = 1, login = {}, limit = -1 }',
  'function() end',
  'print',
  'coroutine.create(print)',
  'newCA("192.0.2.1")',
  'getStringStatsDB("logins")',
  'db',
]
/** What stops the server is not called, and what asks other systems takes its time. */
const LEFT_OUT: ReadonlySet<string> = new Set(['shutdown', 'http.request'])

test('any function with any arguments is answered, and an error leaves everything as it was', async (t) => {
  const server = await startServer(t, {
    configuration: `${BASE_CONFIGURATION}${CONTROL_CONFIGURATION}
      db = newStringStatsDB("logins", 600, 6, { count = "int", agents = "seen" })
      addCustomStat("seen")
      setReport(function(lt) end)`,
  })
  const ask = await connectConsole(t, server)
  const usages = (await ask('help()')).matchAll(/^ {2}([a-zA-Z][\w.:]*)[({]/gm)
  const names = Array.from(usages, ([, name = '']) => name).filter((name) => !LEFT_OUT.has(name))
  assert.ok(names.length > 80, String(names.length))
  const state = async (): Promise<string> =>
    `${await ask('showACL()')}${await ask('showConfig()')}${await ask('showStatsDBs()')}${await ask('showCustomStats()')}`

  const call = fc.tuple(fc.constantFrom(...names), fc.array(fc.constantFrom(...ARGUMENTS), { maxLength: 4 }))
  const property = fc.asyncProperty(call, async ([name, args]) => {
    // A method of a trend database is called on one; others find nothing to be called on, which is an error too.
    const before = await state()
    const answer = await ask(`return ${name}(${args.join(', ')})`)
    if (answer.startsWith('Error: ')) assert.equal(await state(), before)
    assert.equal(await ask('1 + 1'), '2')
  })
  await fc.assert(property, { interruptAfterTimeLimit: SECONDS * 1000, numRuns: 1_000_000 })
  assert.equal(server.child.exitCode, null)
  assert.doesNotMatch(server.output, /a fault in trackalert itself|is replaced/)
})
