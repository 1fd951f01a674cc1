import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { BASE_CONFIGURATION, startServer } from '../support/server-process.ts'

describe('custom endpoints', () => {
  const endpoint = (body: string): string => `${BASE_CONFIGURATION}
    addCustomStat("calls")
    setCustomEndpoint("ask", function(args) ${body} end)`

  const answers: readonly (readonly [what: string, body: string, status: number, answer: unknown])[] = [
    [
      'a boolean and a table',
      'return true, {a="1", b=2}',
      200,
      { success: true, r_attrs: { a: '1', b: '2' } },
    ],
    ['a boolean alone', 'return false', 200, { success: false, r_attrs: {} }],
    ['the single-valued attributes', 'return true, args.attrs', 200, { success: true, r_attrs: { x: 'y' } }],
  ]
  for (const [what, body, status, expected] of answers) {
    test(`answer ${what}`, async (t) => {
      const server = await startServer(t, { configuration: endpoint(body) })
      const answer = await server.post('/command/ask', { attrs: { x: 'y', list: ['a', 'b'] } })
      assert.equal(answer.status, status)
      assert.deepEqual(await answer.json(), expected)
    })
  }

  const failures: readonly (readonly [what: string, body: string, reason: RegExp])[] = [
    ['an error', 'error("broken \\"quotes\\"")', /trackalert\.conf:\d+: broken "quotes"/],
    ['nothing', '', /must return a boolean/],
    ['a table with a table in it', 'return true, {a={}}', /must return a boolean and a table of strings/],
  ]
  for (const [what, body, reason] of failures) {
    test(`that end with ${what} answer 500 with a reason in valid JSON, and leave no effect`, async (t) => {
      const server = await startServer(t, { configuration: endpoint(`incCustomStat("calls") ${body}`) })
      const answer = await server.post('/command/ask', { attrs: {} })
      assert.equal(answer.status, 500)
      const parsed = (await answer.json()) as { success: boolean; reason: string }
      assert.equal(parsed.success, false)
      assert.match(parsed.reason, reason)
      const stats = (await (await server.get('/command/stats')).json()) as {
        customstats: Record<string, number>
      }
      assert.equal(stats.customstats['calls'], 0)
    })
  }

  test('are POST only, and an unknown one is not found', async (t) => {
    const server = await startServer(t, { configuration: endpoint('return true') })
    assert.equal((await server.get('/command/ask')).status, 405)
    assert.equal((await server.post('/command/other', { attrs: {} })).status, 404)
  })
})

describe('background functions', () => {
  test('run by interval and keep what they remember in Lua variables', async (t) => {
    const server = await startServer(t, {
      configuration: `${BASE_CONFIGURATION}
        setNumLuaStates(3)
        local runs = 0
        setBackground("count", function() runs = runs + 1 infoLog("tick", {runs=runs}) end)
        intervalScheduleBackgroundFunc("00:00:01", "count")`,
    })
    await server.waitFor(/tick: runs="1"/)
    await server.waitFor(/tick: runs="2"/)
  })

  test('that fail are logged and run again', async (t) => {
    const server = await startServer(t, {
      configuration: `${BASE_CONFIGURATION}
        local runs = 0
        setBackground("flaky", function()
          runs = runs + 1
          if runs == 1 then error("first time") end
          infoLog("recovered", {})
        end)
        intervalScheduleBackgroundFunc("00:00:01", "flaky")`,
    })
    await server.waitFor(/a Lua function failed.*function="flaky".*first time/)
    await server.waitFor(/recovered/)
  })
})

describe('shutdown()', () => {
  test('called by a policy stops the server cleanly', async (t) => {
    const server = await startServer(t, {
      configuration: `${BASE_CONFIGURATION}
        setCustomEndpoint("bye", function() shutdown() return true end)`,
    })
    const answer = await server.post('/command/bye', { attrs: {} })
    assert.equal(answer.status, 200)
    assert.deepEqual(await server.exited, { code: 0, signal: null })
  })
})
