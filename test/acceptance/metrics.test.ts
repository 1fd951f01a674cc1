/** What a scrape of the real server says, against what was done to it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startServer, BASE_CONFIGURATION, type ServerProcess } from '../support/server-process.ts'
import { startReceiver } from '../support/web-hook-receiver.ts'

const DEADLINE_MS = 15_000

/** Values by name with labels, as a scrape writes them. */
async function scrape(server: ServerProcess): Promise<ReadonlyMap<string, number>> {
  const text = await (await server.get('/metrics')).text()
  return new Map(
    Array.from(text.matchAll(/^(trackalert_\S+) (\S+)$/gm), ([, name = '', value]) => [name, Number(value)]),
  )
}

async function until(server: ServerProcess, isThere: (values: ReadonlyMap<string, number>) => boolean) {
  const endMs = performance.now() + DEADLINE_MS
  for (;;) {
    const values = await scrape(server)
    if (isThere(values)) return values
    assert.ok(performance.now() < endMs, JSON.stringify([...values], undefined, 1))
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

const report = (login: string): object => ({ login, remote: '192.0.2.1', success: true })

test('the metrics of the reference have true values', async (t) => {
  const right = await startReceiver(t)
  const wrong = await startReceiver(t, (_request, response) => {
    response.statusCode = 400
    response.end()
  })
  const server = await startServer(t, {
    configuration: `${BASE_CONFIGURATION}
      addCustomStat("seen")
      addCustomWebHook("right", {url="${right.url}/r"})
      addCustomWebHook("wrong", {url="${wrong.url}/w"})
      setReport(function(lt)
        incCustomStat("seen")
        runCustomWebHook("right", "{}")
        if lt.login == "user0" then runCustomWebHook("wrong", "{}") end
        if lt.login == "fails" then error("on purpose") end
      end)
      setCustomEndpoint("ask", function() return true end)`,
  })
  for (let number = 0; number < 5; number++) await server.post('/command/report', report(`user${number}`))
  await server.post('/command/report', report('fails'))
  for (let number = 0; number < 3; number++) await server.get('/command/stats')
  await server.post('/command/ask', {})
  const hook = (id: number, url: string, status: string): string =>
    `trackalert_custom_webhook_events_total{id="${id}",url="${url}",status="${status}"}`
  const values = await until(
    server,
    (now) =>
      now.get(hook(1, `${right.url}/r`, 'ok')) === 5 &&
      now.get(hook(2, `${wrong.url}/w`, 'error')) === 1 &&
      now.get('trackalert_webhook_queue_size') === 0 &&
      now.get('trackalert_failed_reports') === 1 &&
      now.get('trackalert_backlog_reports') === 0,
  )
  const expected: readonly (readonly [name: string, value: number])[] = [
    ['trackalert_commands_total{cmd="report"}', 6],
    ['trackalert_commands_total{cmd="stats"}', 3],
    ['trackalert_commands_total{cmd="ask"}', 1],
    // The run that failed left nothing.
    ['trackalert_custom_stats_total{metric="seen"}', 5],
    ['trackalert_webhook_events_total', 6],
    ['trackalert_web_queue_size', 0],
    ['trackalert_webhook_queue_size', 0],
    ['trackalert_worker_queue_duration_seconds_count', 7],
    ['trackalert_worker_response_duration_seconds_count', 7],
    ['trackalert_worker_queue_duration_seconds_bucket{le="+Inf"}', 7],
    // And of what is ours:
    ['trackalert_reports_total', 6],
    ['trackalert_run_duration_seconds_count{function="report"}', 6],
    ['trackalert_run_duration_seconds_count{function="ask"}', 1],
    ['trackalert_run_failures_total{function="report",code="TRK_LUA_ERROR"}', 1],
    ['trackalert_failed_reports', 1],
    ['trackalert_dead_letters', 1],
    ['trackalert_webhooks_dropped_total{reason="refused"}', 1],
    ['trackalert_backlog_reports', 0],
    ['trackalert_runs_in_flight', 0],
    ['trackalert_ready', 1],
  ]
  for (const [name, value] of expected) assert.equal(values.get(name), value, name)
  for (const kind of ['queue', 'response']) {
    for (const le of ['0.001', '0.01', '0.1', '1']) {
      assert.ok(values.has(`trackalert_worker_${kind}_duration_seconds_bucket{le="${le}"}`), `${kind} ${le}`)
    }
  }
  assert.ok((values.get('trackalert_active_http_connections') ?? 0) >= 1)
  assert.ok((values.get('trackalert_store_write_duration_seconds_count') ?? 0) >= 1)
  assert.ok((values.get('trackalert_store_batch_bytes_sum') ?? 0) > 100)
  assert.ok((values.get('trackalert_state_free_bytes') ?? 0) > 1024 * 1024)
  assert.ok(
    [...values.keys()].some((name) => /^trackalert_build_info\{version="[\d.]+",node="v\d/.test(name)),
  )
})

test('what waits is counted while it waits: for a worker, in it, and for a receiver', async (t) => {
  const waiting: (() => void)[] = []
  const gate = await startReceiver(t, (_request, response) => waiting.push(() => response.end()))
  const hung = await startReceiver(t, () => undefined)
  const server = await startServer(t, {
    configuration: `${BASE_CONFIGURATION}
      setNumLuaStates(1)
      setWebHookTimeoutSecs(60)
      setNumWebHookConnsPerThread(1)
      addCustomWebHook("hung", {url="${hung.url}/"})
      newStringStatsDB("Seen", 600, 6, {n="int"})
      setReport(function(lt)
        getStringStatsDB("Seen"):twAdd(lt.login, "n", 1)
        if lt.login == "same" then http.request{url="${gate.url}", timeout=20} end
        runCustomWebHook("hung", "{}")
      end)`,
  })
  // Of one login only the first is in the worker's Lua; how many are in the thread is its own business.
  for (let number = 0; number < 3; number++) await server.post('/command/report', report('same'))
  const busy = await until(server, (now) => now.get('trackalert_backlog_reports') === 3)
  assert.ok((busy.get('trackalert_backlog_bytes') ?? 0) > 50)
  const inOrBefore =
    (busy.get('trackalert_runs_in_flight') ?? 0) + (busy.get('trackalert_web_queue_size') ?? 0)
  assert.equal(inOrBefore, 3)
  assert.equal(busy.get('trackalert_policy_workers{state="running"}'), 1)

  await gate.waitForCount(1)
  const release = setInterval(() => waiting.splice(0).forEach((end) => end()), 5)
  t.after(() => clearInterval(release))
  const after = await until(server, (now) => now.get('trackalert_webhook_queue_size') === 3)
  assert.equal(after.get('trackalert_outbox_messages{receiver="hung"}'), 3)
  assert.equal(after.get('trackalert_backlog_reports'), 0)
  assert.equal(after.get('trackalert_trend_rows{database="Seen"}'), 1)
  const spent = await until(server, (now) => (now.get('trackalert_policy_cpu_seconds_total') ?? 0) > 0)
  assert.ok((spent.get('trackalert_policy_cpu_seconds_total') ?? 0) < 60)
})
