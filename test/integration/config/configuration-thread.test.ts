/** The configuration thread after it has handed over the settings: lines of the console, and what becomes of it. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { startConsoleLines } from '../../support/console-lines.ts'

const TRENDS = `
  limit = 3
  newStringStatsDB("logins", 600, 6, { count = "int" })
  addCustomStat("seen")
  addCustomWebHook("hook", { url = "http://127.0.0.1:1/" })
`

describe('the answer to a line', { concurrency: 2 }, () => {
  const cases: readonly (readonly [line: string, text: string])[] = [
    ['return "a".."b"', 'ab'],
    ['return 1', '1'],
    ['1 + 1', '2'],
    ['"a\\nb"', 'a\nb'],
    ['x = 5', ''],
    ['nil', ''],
    ['', ''],
    ['-- a comment', ''],
    ['print("a", 1) print("b")', 'a\t1\nb\n'],
    ['print("printed"); return "returned"', 'returned'],
    ['limit', '3'],
    ['true, nil, "a"', 'true\tnil\ta'],
    ['{}', '{}'],
    ['{ 1, 2, name = "a\\27", ["b c"] = { true } }', '{ 1, 2, ["b c"] = { true }, name = "a\\027" }'],
    ['(function() local t = {} t.t = t return t end)()', '{ t = { … itself … } }'],
    ['setmetatable({}, { __tostring = function() return "mine" end })', 'mine'],
    ['newCA("192.0.2.1")', '192.0.2.1'],
  ]
  for (const [line, text] of cases) {
    test(`${JSON.stringify(line)} answers ${JSON.stringify(text)}`, async (t) => {
      const { run } = await startConsoleLines(t, TRENDS)
      assert.deepEqual(await run(line), { ok: true, text })
    })
  }

  test('is an error with message and traceback when the line is wrong or fails', async (t) => {
    const { run } = await startConsoleLines(t)
    const wrong = await run('x ==')
    assert.equal(wrong.ok, false)
    assert.match(wrong.text, /^Error: console:1: .*near/)
    const failed = await run('print("so far") error("went wrong")')
    assert.equal(failed.ok, false)
    assert.match(failed.text, /^so far\nError: console:1: went wrong\nstack traceback:\n/)
  })

  test('does not mix what two lines print', async (t) => {
    const { run } = await startConsoleLines(t)
    const lines = Array.from({ length: 50 }, (_, index) =>
      run(`print(${index}) getReports{} print(${index})`),
    )
    const answers = await Promise.all(lines)
    assert.deepEqual(
      answers.map(({ text }) => text),
      answers.map((_, index) => `${index}\n${index}\n`),
    )
  })
})

describe('what a line changes', () => {
  test('is committed once and read by the next line', async (t) => {
    const { run, commits } = await startConsoleLines(t, TRENDS)
    const db = 'getStringStatsDB("logins")'
    assert.deepEqual(await run(`${db}:twAdd("a", "count", 2) return ${db}:twGet("a", "count")`), {
      ok: true,
      text: '2',
    })
    assert.deepEqual(await run(`incCustomStat("seen") runCustomWebHook("hook", "body")`), {
      ok: true,
      text: '',
    })
    assert.deepEqual(await run(`${db}:twGet("a", "count")`), { ok: true, text: '2' })
    assert.equal(commits.length, 2)
    assert.deepEqual(commits[1]?.customStats, [['seen', 1]])
    assert.deepEqual(commits[1]?.webHooks, [{ hook: 'hook', body: 'body' }])
  })

  test('is dropped when the line fails', async (t) => {
    const { run, commits, shared } = await startConsoleLines(t, TRENDS)
    const db = 'getStringStatsDB("logins")'
    assert.equal((await run(`${db}:twAdd("a", "count", 2) error("no")`)).ok, false)
    assert.deepEqual(await run(`${db}:twGet("a", "count")`), { ok: true, text: '0' })
    assert.deepEqual(commits, [])
    assert.equal(shared.length, 1)
  })

  test('is an error when it could not be stored', async (t) => {
    const { run } = await startConsoleLines(t, TRENDS, { commit: async () => false })
    const answer = await run('incCustomStat("seen")')
    assert.equal(answer.ok, false)
    assert.match(answer.text, /could not be stored/)
  })
})

describe('a thread in trouble', { concurrency: 3 }, () => {
  test('stops a line that never ends and goes on as before', async (t) => {
    const { run, log } = await startConsoleLines(t, TRENDS)
    await run('kept = 1')
    // On a very busy machine the limit on the wall comes first.
    const answer = await run('while true do end')
    assert.equal(answer.ok, false)
    assert.match(answer.text, /more than 2000 ms of processor time|longer than 30000 ms/)
    assert.deepEqual(await run('kept'), { ok: true, text: '1' })
    assert.deepEqual(log, [])
  })

  test('is replaced when a line holds it beyond every limit', async (t) => {
    const { run, log, configuration } = await startConsoleLines(t, TRENDS)
    await run('kept = 1')
    // A pattern that the engine matches for ever, in one instruction.
    const answer = await run(`("a"):rep(40):find(("a*"):rep(40) .. "b")`)
    assert.equal(answer.ok, false)
    assert.match(answer.text, /the configuration thread was lost/)
    assert.match(log[0]?.message ?? '', /is replaced/)
    const after = await untilAnswered(() => run('tostring(kept) .. limit'))
    assert.deepEqual(after, { ok: true, text: 'nil3' })
    assert.ok(configuration.configSource.length > 0)
  })

  test('is replaced when a line uses up its memory', async (t) => {
    const { run } = await startConsoleLines(t, TRENDS)
    const answer = await run('local t = {} for i = 1, 1e9 do t[i] = { i, i, i, i, i, i, i, i } end')
    assert.equal(answer.ok, false)
    assert.match(answer.text, /processor time|took longer|was lost/)
    assert.deepEqual(await untilAnswered(() => run('limit')), { ok: true, text: '3' })
  })

  test('refuses more lines than may be under way, and answers the others', async (t) => {
    const { run } = await startConsoleLines(t)
    const answers = await Promise.all(Array.from({ length: 300 }, () => run('getReports{} return 1')))
    assert.equal(answers.filter(({ ok }) => ok).length, 200)
    assert.match(answers.find(({ ok }) => !ok)?.text ?? '', /under way already/)
  })

  test('answers what is open when it is stopped', async (t) => {
    const { run, configuration } = await startConsoleLines(t)
    const open = run('while true do end')
    await configuration.thread.stop()
    assert.match((await open).text, /the server is stopping/)
    assert.match((await run('1')).text, /the server is stopping/)
  })
})

/** Answers once the thread runs again. */
async function untilAnswered<T extends { readonly ok: boolean }>(run: () => Promise<T>): Promise<T> {
  const endMs = performance.now() + 30_000
  for (;;) {
    const answer = await run()
    if (answer.ok || performance.now() > endMs) return answer
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
