import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { createServer, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { BASE_CONFIGURATION, startServer, type ServerProcess } from '../support/server-process.ts'

const report = (login: string): object => ({ login, remote: '192.0.2.1', success: true })

async function send(server: ServerProcess, login: string): Promise<void> {
  const answer = await server.post('/command/report', report(login))
  assert.equal(answer.status, 200)
  await answer.arrayBuffer()
}

async function metric(server: ServerProcess, line: RegExp): Promise<number> {
  const text = await (await server.get('/metrics')).text()
  return Number(line.exec(text)?.[1] ?? Number.NaN)
}

/** A local HTTP server that answers nobody until so many requests are in it at once; then all of them. */
async function startMeetingPoint(t: TestContext, company: number): Promise<string> {
  const waiting: ServerResponse[] = []
  return startHttpServer(t, (response) => {
    waiting.push(response)
    if (waiting.length === company) for (const each of waiting.splice(0)) each.end('met')
  })
}

/** A local HTTP server that answers after a while. */
async function startSlowServer(t: TestContext, delayMs: number): Promise<string> {
  return startHttpServer(t, (response) => void setTimeout(() => response.end('slow'), delayMs))
}

async function startHttpServer(t: TestContext, answer: (response: ServerResponse) => void): Promise<string> {
  const server = createServer((_request, response) => answer(response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const address = server.address()
  return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}/`
}

describe('policies that wait', () => {
  test('64 reports wait at once on one worker: each is answered only when all of them have asked', async (t) => {
    const url = await startMeetingPoint(t, 64)
    const server = await startServer(t, {
      configuration: `${BASE_CONFIGURATION}
        setNumLuaStates(1)
        setReport(function(lt)
          local status, body = http.request{url="${url}", timeout=20}
          infoLog("answered", {login=lt.login, status=status, body=body})
        end)`,
    })
    const records = Array.from({ length: 64 }, (_, user) => ({ value: report(`user${user}`) }))
    const answer = await server.post('/command/report', { records })
    assert.equal(answer.status, 200)
    for (let user = 0; user < 64; user++)
      await server.waitFor(new RegExp(`answered: login="user${user}" status="200" body="met"`))
  })

  test('reports of one login run one after another, in the order in which they came', async (t) => {
    const url = await startSlowServer(t, 20)
    const server = await startServer(t, {
      configuration: `${BASE_CONFIGURATION}
        setReport(function(lt)
          infoLog("begin", {session=lt.session_id})
          http.request{url="${url}"}
          infoLog("end", {session=lt.session_id})
        end)`,
    })
    for (let session = 0; session < 10; session++) {
      const answer = await server.post('/command/report', { ...report('ann'), session_id: String(session) })
      assert.equal(answer.status, 200)
    }
    await server.waitFor(/end: session="9"/)
    const events = Array.from(
      server.output.matchAll(/(begin|end): session="(\d)"/g),
      (match) => `${match[1]} ${match[2]}`,
    )
    assert.deepEqual(
      events,
      Array.from({ length: 10 }, (_, session) => [`begin ${session}`, `end ${session}`]).flat(),
    )
  })
})

describe('policies that misbehave', () => {
  test('an endless loop in one run is stopped after its processor time; other reports go on', async (t) => {
    const server = await startServer(t, {
      configuration: `${BASE_CONFIGURATION}
        setNumLuaStates(1)
        setReport(function(lt)
          if lt.login == "loop" then while true do end end
          infoLog("done", {login=lt.login})
        end)`,
    })
    await send(server, 'loop')
    await send(server, 'after')
    await server.waitFor(/done: login="after"/)
    await server.waitFor(/a Lua function failed.*code="TRK_LUA_CPU_LIMIT".*trackalert\.conf/)
    assert.equal(
      await metric(
        server,
        /trackalert_run_failures_total\{function="report",code="TRK_LUA_CPU_LIMIT"\} (\d+)/,
      ),
      1,
    )
    assert.doesNotMatch(server.output, /worker died|answers nothing/)
  })

  test('a loop inside the engine, which no hook can stop, costs the worker; its report counts as failed after a second try', async (t) => {
    const server = await startServer(t, {
      configuration: `${BASE_CONFIGURATION}
        setNumLuaStates(1)
        setReport(function(lt)
          infoLog("begin", {login=lt.login})
          if lt.login == "stuck" then
            -- A pattern whose matching takes practically for ever.
            string.find(string.rep("a", 40), string.rep("a-", 30) .. "b")
          end
          infoLog("done", {login=lt.login})
        end)`,
    })
    // Edited while the server runs: a worker that is replaced must not run another policy than the others.
    await writeFile(join(server.folder, 'trackalert.conf'), 'this is no Lua')
    await send(server, 'stuck')
    await send(server, 'innocent')
    await server.waitFor(/code="TRK_WORKER_LOST"/, 90_000)
    await server.waitFor(/done: login="innocent"/)
    assert.equal(server.output.match(/begin: login="stuck"/g)?.length, 2)
    assert.equal(server.output.match(/done: login="innocent"/g)?.length, 1)
    assert.equal(await metric(server, /trackalert_worker_restarts_total\{reason="silent"\} (\d+)/), 2)
    assert.equal(await metric(server, /trackalert_run_failures_total\{[^}]*TRK_WORKER_LOST[^}]*\} (\d+)/), 1)
  })

  test('memory that grows without end kills that worker only', async (t) => {
    const server = await startServer(t, {
      configuration: `${BASE_CONFIGURATION}
        setNumLuaStates(2)
        setReport(function(lt)
          if lt.login == "hog" then
            local kept = {}
            -- Few Lua instructions and much memory each, so that the memory ends before the processor time.
            while true do kept[#kept + 1] = string.rep("x", 2^20) .. #kept end
          end
          infoLog("done", {login=lt.login})
        end)`,
    })
    await send(server, 'hog')
    for (let user = 0; user < 20; user++) await send(server, `user${user}`)
    for (let user = 0; user < 20; user++)
      await server.waitFor(new RegExp(`done: login="user${user}"`), 60_000)
    await server.waitFor(/a Lua function failed.*code="TRK_(WORKER_LOST|LUA_CPU_LIMIT|LUA_ERROR)"/, 60_000)
    assert.equal((await server.get('/command/livez')).status, 200)
  })

  test('a function that fails is counted and logged with file and line, and its effects are dropped', async (t) => {
    const server = await startServer(t, {
      configuration: `${BASE_CONFIGURATION}
        addCustomStat("kept")
        setReport(function(lt)
          incCustomStat("kept")
          if lt.login == "bad" then error("no good") end
          infoLog("done", {login=lt.login})
        end)`,
    })
    await send(server, 'bad')
    await send(server, 'good')
    await server.waitFor(/done: login="good"/)
    const line = await server.waitFor(/a Lua function failed.*/)
    assert.match(line[0], /trackalert\.conf:\d+: no good/)
    assert.match(line[0], /traceback="[^"]*trackalert\.conf:\d+/)
    await server.waitFor(/done: login="good"/)
    await assertEventually(async () => {
      const stats = (await (await server.get('/command/stats')).json()) as {
        customstats: Record<string, number>
      }
      return stats.customstats['kept'] === 1
    })
  })
})

/** For what becomes true a moment after it was logged. */
async function assertEventually(isTrue: () => Promise<boolean>): Promise<void> {
  const endMs = performance.now() + 5000
  while (performance.now() < endMs) {
    if (await isTrue()) return
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  assert.fail('it did not become true')
}
