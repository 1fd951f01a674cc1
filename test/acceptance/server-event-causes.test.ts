/**
 * Each event of the server that needs trouble of its own: the real cause in a real server, the notification at a sink that
 * a route names by `server.*`, and the policy's handler.
 */
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { startApp } from '../support/app-in-process.ts'
import { ANSWER_LUA, ask, eventually, report } from '../support/ask-server.ts'
import { connectConsole, CONTROL_CONFIGURATION } from '../support/console-client.ts'
import { connectPeer } from '../support/control-peer.ts'
import { DEBUGGER_ENV, killThread } from '../support/kill-thread.ts'
import { mmdbFile } from '../support/mmdb-file.ts'
import {
  BASE_CONFIGURATION,
  CONFIGURATION,
  startServer,
  type ServerOptions,
  type ServerProcess,
} from '../support/server-process.ts'
import { smallDisk } from '../support/small-disk.ts'
import { startReceiver, type WebHookReceiver } from '../support/web-hook-receiver.ts'

const HANDLER = `${ANSWER_LUA}
  newStringStatsDB("events", 3600, 24, {names="seen"})
  local db = getStringStatsDB("events")
  setEventHandler("*", function(event)
    db:twAdd("seen", "names", event.name .. " " .. event.about .. " " .. event.severity)
  end)
  setCustomEndpoint("handled", function()
    local names = {}
    for _, item in ipairs(db:twItems("seen", "names")) do names[#names + 1] = item.item or item end
    return answer(table.concat(names, "\\n"))
  end)\n`

/** A policy that hands every event of the server to a sink and to a handler. */
function watching(receiver: WebHookReceiver, more: string): string {
  return `${BASE_CONFIGURATION}${HANDLER}
    addAlertSink("events", "webhook", {url="${receiver.url}"})
    addAlertRoute{rule="server.*", sinks={"events"}, groupBy={"rule", "key"}, groupWait=0, groupInterval="1s"}
    ${more}\n`
}

interface Watched {
  readonly server: ServerProcess
  readonly receiver: WebHookReceiver
}

async function startWatched(
  t: TestContext,
  more: string,
  options: Partial<ServerOptions> = {},
): Promise<Watched> {
  const receiver = await startReceiver(t)
  const server = await startServer(t, { ...options, configuration: watching(receiver, more) })
  return { server, receiver }
}

interface ToldAlert {
  readonly rule: string
  readonly key: string
  readonly severity: string
  readonly message: string
}

/** The alert of an event as a sink was told it, waiting for it. */
async function told({ received }: WebHookReceiver, event: string): Promise<ToldAlert> {
  let found: ToldAlert | undefined
  await eventually(`nobody is told of server.${event}`, () => {
    for (const { body } of received) {
      const { alerts } = JSON.parse(body) as { readonly alerts: readonly ToldAlert[] }
      found ??= alerts.find(({ rule }) => rule === `server.${event}`)
    }
    return found !== undefined
  })
  assert.ok(found !== undefined)
  return found
}

async function handled(server: ServerProcess, event: string): Promise<void> {
  await eventually(`no handler gets ${event}`, async () => {
    return String(await ask(server, 'handled'))
      .split('\n')
      .includes(event)
  })
}

test('queue-overflow: a webhook finds the queue of webhooks full', async (t) => {
  const hanging = await startReceiver(t, () => undefined)
  const { server, receiver } = await startWatched(
    t,
    `setWebHookQueueSize(3)
     addCustomWebHook("slow", {url="${hanging.url}"})
     setReport(function(lt) for n = 1, 20 do runCustomWebHook("slow", "{}") end end)`,
  )
  await report(server, { login: 'ann' })
  const { key, severity, message } = await told(receiver, 'queue-overflow')
  assert.deepEqual([key, severity], ['slow', 'high'])
  assert.equal(message, 'a queue is full and takes nothing more: the webhook queue')
  await handled(server, 'queue-overflow slow high')
})

test('queue-overflow: reports are refused because too many wait', async (t) => {
  const gate = await startReceiver(t, () => undefined)
  const receiver = await startReceiver(t)
  const policy = `setReport(function() http.request{url="${gate.url}", timeout=20} end)`
  const { post } = await startApp(t, watching(receiver, policy), { maxPendingRuns: 2 })
  let status = 200
  for (let n = 0; n < 3; n++)
    status = (await post('/command/report', { login: `u${n}`, remote: '192.0.2.1', success: true })).status
  assert.equal(status, 503)
  const { key, severity } = await told(receiver, 'queue-overflow')
  assert.deepEqual([key, severity], ['reports', 'high'])
})

test('disk-full: reports are refused, and it is told when there is room again', async (t) => {
  const sizeMib = 96
  const disk = await smallDisk(t, sizeMib)
  if (disk === undefined) return
  const { server, receiver } = await startWatched(t, `setStateDirectory("${join(disk, 'state')}")`)
  const ballast = join(disk, 'ballast')
  await writeFile(ballast, Buffer.alloc((sizeMib - 50) * 1024 * 1024))
  await eventually('no report is refused', async () => {
    const answer = await server.post('/command/report', { login: 'ann', remote: '192.0.2.7', success: true })
    await answer.arrayBuffer()
    return answer.status === 503
  })
  await rm(ballast)
  const { key, severity, message } = await told(receiver, 'disk-full')
  assert.deepEqual([key, severity], ['', 'critical'])
  assert.match(message, /^reports cannot be stored: .*MiB free/)
  await handled(server, 'disk-full  critical')
})

test('store-damaged: a store that was set aside at the start', async (t) => {
  const first = await startServer(t, { configuration: BASE_CONFIGURATION })
  await report(first, { login: 'ann' })
  await first.stop()
  await writeFile(join(first.folder, 'state', 'store', 'CURRENT'), 'no manifest')
  const { server, receiver } = await startWatched(t, '', {
    folder: first.folder,
    args: ['-s', '-C', CONFIGURATION, '--recover'],
  })
  const { key, severity, message } = await told(receiver, 'store-damaged')
  assert.deepEqual([key, severity], [join(first.folder, 'state'), 'critical'])
  assert.match(message, /^the store was damaged: it was set aside/)
  await handled(server, `store-damaged ${key} critical`)
})

test('geoip-reload and geoip-failed: a file that was replaced by a good one and by a broken one', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'trackalert-test-'))
  const file = join(folder, 'city.mmdb')
  const put = (code: string): Promise<void> =>
    writeFile(file, new Uint8Array(mmdbFile({ '1.2.3.0/24': { country_code: code } })))
  await put('FI')
  const { server, receiver } = await startWatched(
    t,
    `${CONTROL_CONFIGURATION}newGeoIP2DB("city", "${file}")`,
    {
      folder,
    },
  )
  const console = await connectConsole(t, server)
  await put('SE')
  assert.equal(await console('reloadGeoIPDBs()'), 'reloadGeoIPDBs() successful\n')
  const reloaded = await told(receiver, 'geoip-reload')
  assert.deepEqual([reloaded.key, reloaded.severity], ['city', 'info'])
  await handled(server, 'geoip-reload city info')
  await writeFile(file, 'no database')
  assert.match(await console('reloadGeoIPDBs()'), /city\.mmdb/)
  const failed = await told(receiver, 'geoip-failed')
  assert.deepEqual([failed.key, failed.severity], ['city', 'medium'])
  assert.match(failed.message, /^a GeoIP file cannot be used: .*city\.mmdb/)
  await handled(server, 'geoip-failed city medium')
})

test('worker-lost: the thread of a policy worker dies', async (t) => {
  const { server, receiver } = await startWatched(t, '', { env: DEBUGGER_ENV })
  await killThread(server, 'policy')
  const { severity, message } = await told(receiver, 'worker-lost')
  assert.equal(severity, 'high')
  assert.match(message, /^a policy worker was lost and replaced: exit$/)
  await handled(server, 'worker-lost  high')
})

test('control-refused: a client with a wrong key', async (t) => {
  const { server, receiver } = await startWatched(t, CONTROL_CONFIGURATION)
  const [, port] = await server.waitFor(/the control socket is open: host="127.0.0.1" port="(\d+)"/)
  const peer = await connectPeer(t, Number(port), Buffer.alloc(32, 7))
  await assert.rejects(peer.ask('version()'))
  const { key, severity, message } = await told(receiver, 'control-refused')
  assert.deepEqual([key, severity], ['127.0.0.1', 'medium'])
  assert.match(message, /^the control socket refused a client: .*, from 127\.0\.0\.1$/)
  await handled(server, 'control-refused 127.0.0.1 medium')
})
