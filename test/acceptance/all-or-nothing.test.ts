import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { ANSWER_LUA, ask, eventually, metric } from '../support/ask-server.ts'
import { BASE_CONFIGURATION, startServer, type ServerProcess } from '../support/server-process.ts'
import { startReceiver, type WebHookReceiver } from '../support/web-hook-receiver.ts'

/** `change` and the background function count, send a webhook, and then do what they are told. */
const configuration = (receiver: WebHookReceiver, background: string): string => `
  ${BASE_CONFIGURATION}${ANSWER_LUA}
  setNumLuaStates(1)
  newStringStatsDB("counts", 3600, 24, {count="int", items="seen", sketch="hll"})
  addCustomStat("changes")
  addCustomWebHook("hook", {url="${receiver.url}"})
  local db = getStringStatsDB("counts")
  local function change(key, item)
    db:twAdd(key, "count", 1)
    db:twAdd(key, "items", item)
    db:twAdd(key, "sketch", item)
    incCustomStat("changes")
    runCustomWebHook("hook", key .. " " .. item)
  end
  setCustomEndpoint("change", function(args)
    change("endpoint", args.attrs.item)
    if args.attrs.fail == "error" then error("after its changes") end
    if args.attrs.fail == "loop" then while true do end end
    if args.attrs.fail == "answer" then return "no boolean" end
    return answer(db:twGet("endpoint", "count"))
  end)
  setCustomEndpoint("read", function(args)
    local key = args.attrs.key
    return answer{count=db:twGet(key, "count"), items=#db:twItems(key, "items"), sketch=db:twGet(key, "sketch")}
  end)
  local runs = 0
  setBackground("timer", function()
    runs = runs + 1
    ${background}
  end)
  intervalScheduleBackgroundFunc("00:00:01", "timer")
`

interface Rig {
  readonly server: ServerProcess
  readonly receiver: WebHookReceiver
  readonly restart: () => Promise<ServerProcess>
}

async function start(t: TestContext, background = ''): Promise<Rig> {
  const receiver = await startReceiver(t)
  const server = await startServer(t, { configuration: configuration(receiver, background) })
  return {
    server,
    receiver,
    restart: () => startServer(t, { configuration: configuration(receiver, ''), folder: server.folder }),
  }
}

const counted = (count: number) => ({ count, items: count, sketch: count })

test('a custom endpoint that fails leaves nothing of what it had changed, however it fails', async (t) => {
  const { server, receiver, restart } = await start(t)
  for (const fail of ['error', 'loop', 'answer']) {
    const answer = await server.post('/command/change', { attrs: { item: fail, fail } })
    assert.equal(answer.status, 500)
  }
  assert.deepEqual(await ask(server, 'read', { key: 'endpoint' }), counted(0))
  assert.equal(await metric(server, 'trackalert_webhook_events_total'), 0)
  assert.equal(await ask(server, 'change', { item: 'good' }), 1)
  await receiver.waitForCount(1)
  await server.stop('SIGKILL')
  const again = await restart()
  assert.deepEqual(await ask(again, 'read', { key: 'endpoint' }), counted(1))
  assert.deepEqual(new Set(receiver.received.map(({ body }) => body)), new Set(['endpoint good']))
})

test('what a custom endpoint has changed is there after a kill -9 that follows its answer at once', async (t) => {
  const { server: first, receiver, restart } = await start(t)
  let server = first
  const rounds = 4
  for (let round = 1; round <= rounds; round++) {
    assert.equal(await ask(server, 'change', { item: `i${round}` }), round)
    await server.stop('SIGKILL')
    server = await restart()
    assert.deepEqual(await ask(server, 'read', { key: 'endpoint' }), counted(round))
  }
  const expected = Array.from({ length: rounds }, (_, index) => `endpoint i${index + 1}`)
  await eventually('not every webhook arrives', () => {
    const bodies = new Set(receiver.received.map(({ body }) => body))
    return expected.every((body) => bodies.has(body))
  })
})

test('a background function that fails leaves nothing; one that ends well leaves all, and kill -9 does not undo it', async (t) => {
  const { server, receiver, restart } = await start(
    t,
    `if runs > 4 then return end
     change("background", "run" .. runs)
     if runs % 2 == 1 then error("odd runs fail") end`,
  )
  await receiver.waitForCount(2)
  // The third run, which failed as well, came before the fourth; the log counts the same failure within a minute.
  await server.waitFor(/a Lua function failed.*function="timer"/)
  assert.deepEqual(await ask(server, 'read', { key: 'background' }), counted(2))
  await server.stop('SIGKILL')
  const again = await restart()
  assert.deepEqual(await ask(again, 'read', { key: 'background' }), counted(2))
  assert.deepEqual(
    new Set(receiver.received.map(({ body }) => body)),
    new Set(['background run2', 'background run4']),
  )
})
