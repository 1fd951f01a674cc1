/** From a report to the people who are told: the real server, real receivers, crashes, floods, and receivers that are away. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { allRun, ANSWER_LUA, ask, eventually, metric, report } from '../support/ask-server.ts'
import { receiveDatagrams } from '../support/datagram-receiver.ts'
import { freePort } from '../support/free-port.ts'
import { privateCa } from '../support/private-ca.ts'
import { BASE_CONFIGURATION, startServer, type ServerProcess } from '../support/server-process.ts'
import { mailParts, parseMail, startSmtp } from '../support/smtp-receiver.ts'
import { parseRfc5424 } from '../support/syslog-grammar.ts'
import { startReceiver } from '../support/web-hook-receiver.ts'

const POLICY = `
  setReport(function(lt)
    raiseAlert{rule="travel", key=lt.login, severity="high", value=900, threshold=800,
      message=lt.login .. " is too fast"}
  end)`
const AT_ONCE = 'addAlertRoute{severity="info", sinks={SINKS}, groupWait=0, groupInterval="1s"}'

function route(...sinks: readonly string[]): string {
  return AT_ONCE.replace('SINKS', sinks.map((sink) => `"${sink}"`).join(','))
}

interface Delivery {
  readonly sink: string
  readonly delivery: string
  readonly state: string
  readonly tries: number
  readonly to: string
  readonly answer: string
}

interface Told {
  readonly reason: string
  readonly total: number
  readonly deliveries: readonly Delivery[]
}

/** What was told of the alert of this key, newest first. */
async function toldOf(server: ServerProcess, key: string): Promise<readonly Told[]> {
  const list = (await (await server.get(`/command/alerts?key=${key}`)).json()) as {
    readonly alerts: readonly { readonly id: number }[]
  }
  const [first] = list.alerts
  if (first === undefined) return []
  const one = (await (await server.get(`/command/alerts?id=${first.id}`)).json()) as {
    readonly alert: { readonly notifications: readonly Told[] }
  }
  return one.alert.notifications
}

/** The deliveries of the first notification by sink, once `isSo` of them. */
async function deliveriesOnce(
  server: ServerProcess,
  key: string,
  isSo: (deliveries: ReadonlyMap<string, Delivery>) => boolean,
): Promise<ReadonlyMap<string, Delivery>> {
  let known: ReadonlyMap<string, Delivery> = new Map()
  await eventually('the history does not become what it should', async () => {
    const first = (await toldOf(server, key)).at(-1)
    known = new Map(first?.deliveries.map((delivery) => [delivery.sink, delivery]))
    return isSo(known)
  })
  return known
}

test('an alert comes by mail, by syslog and to a script, and its history has what each of them answered', async (t) => {
  const smtp = await startSmtp(t, { login: { user: 'track', password: 'Password4711' } })
  const syslog = await receiveDatagrams(t)
  const server = await startServer(t, {
    configuration: `${BASE_CONFIGURATION}${POLICY}
      addAlertSink("mail", "email", {host="localhost", port=${smtp.port}, ca="${privateCa.caFile}",
        user="track", password="Password4711", from="track@alerts.example", to={"ops@example.com"}})
      addAlertSink("log", "syslog", {host="${syslog.host}"})
      addAlertSink("script", "exec", {argv={"/bin/sh", "-c",
        'grep -q too.fast && echo "$TRACKALERT_RULE of $TRACKALERT_USER"'}})
      ${route('mail', 'log', 'script')}`,
  })
  await report(server, { login: 'ann' })
  const deliveries = await deliveriesOnce(
    server,
    'ann',
    (known) => known.size === 3 && [...known.values()].every(({ state }) => state === 'delivered'),
  )
  const answers = Array.from(deliveries.values(), ({ sink, tries, answer }) => `${sink} ${tries} ${answer}`)
  assert.deepEqual(answers.toSorted(), [
    `log 1 ${syslog.host}: sent (UDP: no answer)`,
    'mail 1 250 2.0.0 queued as mail 1',
    'script 1 exit status 0: travel of ann',
  ])
  assert.match(deliveries.get('mail')?.to ?? '', /ops@example\.com|localhost/)
  const [mail] = smtp.mails
  assert.ok(mail !== undefined && mail.isEncrypted)
  assert.deepEqual(mail.to, ['ops@example.com'])
  assert.match(parseMail(mail.raw).headers.get('subject') ?? '', /high.*travel/)
  assert.match(mailParts(mail.raw).get('text/plain') ?? '', /ann is too fast/)
  await syslog.waitForCount(1)
  assert.match(parseRfc5424(syslog.datagrams[0] ?? new Uint8Array()).text, /ann is too fast/)
  assert.equal(
    await metric(server, 'trackalert_alert_notifications_total{sink="mail",status="delivered"}'),
    1,
  )
})

test('kill -9 before anybody was told: the next start tells it, once', async (t) => {
  const receiver = await startReceiver(t)
  const policy = `${BASE_CONFIGURATION}${POLICY}addAlertSink("hook", "webhook", {url="${receiver.url}"})\n`
  const wait = 'addAlertRoute{severity="info", sinks={"hook"}, groupWait="1h"}'
  let server = await startServer(t, { configuration: policy + wait })
  await report(server, { login: 'ann' })
  await report(server, { login: 'bob' })
  await allRun(server)
  await server.stop('SIGKILL')
  assert.equal(receiver.received.length, 0)

  server = await startServer(t, { configuration: policy + route('hook'), folder: server.folder })
  await deliveriesOnce(server, 'ann', (known) => known.get('hook')?.state === 'delivered')
  await deliveriesOnce(server, 'bob', (known) => known.get('hook')?.state === 'delivered')
  const keys = receiver.received.flatMap(({ body }) =>
    (JSON.parse(body) as { readonly alerts: readonly { readonly key: string }[] }).alerts.map(
      ({ key }) => key,
    ),
  )
  assert.deepEqual(keys.toSorted(), ['ann', 'bob'])
  await server.stop('SIGKILL')
  const told = receiver.received.length
  server = await startServer(t, { configuration: policy + route('hook'), folder: server.folder })
  // A later alert is told after what a start would tell.
  await report(server, { login: 'carl' })
  await deliveriesOnce(server, 'carl', (known) => known.get('hook')?.state === 'delivered')
  assert.equal(receiver.received.length, told + 1)
})

test('kill -9 between two tries: the notification comes, under the same delivery id', async (t) => {
  let isBack = false
  const receiver = await startReceiver(t, (_request, response) => {
    response.writeHead(isBack ? 200 : 503).end(isBack ? 'thanks' : 'not now')
  })
  const configuration = `${BASE_CONFIGURATION}${POLICY}
    addAlertSink("hook", "webhook", {url="${receiver.url}"})
    ${route('hook')}`
  let server = await startServer(t, { configuration })
  await report(server, { login: 'ann' })
  const before = await deliveriesOnce(server, 'ann', (known) => known.get('hook')?.state === 'retrying')
  assert.equal(before.get('hook')?.answer, 'status 503')
  await server.stop('SIGKILL')
  isBack = true
  server = await startServer(t, { configuration, folder: server.folder })
  const after = await deliveriesOnce(server, 'ann', (known) => known.get('hook')?.state === 'delivered')
  assert.equal(after.get('hook')?.delivery, before.get('hook')?.delivery)
  assert.ok((after.get('hook')?.tries ?? 0) >= 2)
  const ids = new Set(receiver.received.map(({ headers }) => headers['x-wforce-delivery']))
  assert.deepEqual([...ids], [before.get('hook')?.delivery])
})

test('a sink that is away, one that hangs and one that fails delay no other, and lose nothing', async (t) => {
  const port = await freePort()
  const syslog = await receiveDatagrams(t)
  const server = await startServer(t, {
    configuration: `${BASE_CONFIGURATION}${POLICY}
      addAlertSink("mail", "email", {host="localhost", port=${port}, ca="${privateCa.caFile}",
        from="track@alerts.example", to="ops@example.com"})
      addAlertSink("hangs", "exec", {argv={"/bin/sh", "-c", "exec sleep 600"}, timeout=300})
      addAlertSink("fails", "exec", {argv={"/bin/sh", "-c", 'test -e back && exit 0; echo "disk full" >&2; exit 4'}})
      addAlertSink("log", "syslog", {host="${syslog.host}"})
      ${route('mail', 'hangs', 'fails', 'log')}`,
  })
  await report(server, { login: 'ann' })
  await deliveriesOnce(server, 'ann', (known) => known.get('log')?.state === 'delivered')
  const away = await deliveriesOnce(
    server,
    'ann',
    (known) => known.get('mail')?.state === 'retrying' && known.get('fails')?.state === 'retrying',
  )
  assert.match(away.get('mail')?.answer ?? '', /refused/i)
  assert.match(away.get('fails')?.answer ?? '', /^exit status 4: disk full/)
  assert.equal(away.get('hangs')?.state, 'queued')

  const smtp = await startSmtp(t, { port })
  await deliveriesOnce(server, 'ann', (known) => known.get('mail')?.state === 'delivered')
  assert.match(smtp.mails[0]?.raw ?? '', /ann is too fast/)
})

const FLOOD_LUA = `${ANSWER_LUA}
  setCustomEndpoint("flood", function(args)
    local from = tonumber(args.attrs.from)
    for i = from, from + 999 do
      raiseAlert{rule="flood", key=args.attrs.one or "k" .. i, severity=args.attrs.one and "high", message="number " .. i, dedup="1h"}
    end
    return answer(true)
  end)`
const FLOOD_CALLS = 10

const FLOOD_INTERVAL_MS = 8_000

test('ten thousand alerts of a rule are one notification with their number, for the whole groupInterval, and memory stays', async (t) => {
  const receiver = await startReceiver(t)
  const after = await startReceiver(t)
  const server = await startServer(t, {
    configuration: `${BASE_CONFIGURATION}${FLOOD_LUA}
      setCustomEndpoint("after", function() raiseAlert{rule="after", message="m"} return answer(true) end)
      addAlertSink("hook", "webhook", {url="${receiver.url}"})
      addAlertSink("after", "webhook", {url="${after.url}"})
      addAlertRoute{rule="after", sinks={"after"}, groupWait=0}
      addAlertRoute{rule="flood", sinks={"hook"}, groupWait="30s", groupInterval="${FLOOD_INTERVAL_MS / 1000}s"}`,
  })
  const flood = async (one?: string): Promise<void> => {
    for (let call = 0; call < FLOOD_CALLS; call++)
      await ask(server, 'flood', { from: String(call * 1000), ...(one === undefined ? {} : { one }) })
  }
  const memoryMb = async () => (await metric(server, 'process_resident_memory_bytes')) / 2 ** 20
  await flood('same')
  const before = await memoryMb()
  const beganAtMs = performance.now()
  await flood()
  t.diagnostic(`10,000 were raised in ${Math.round(performance.now() - beganAtMs)} ms`)
  const afterFirst = await memoryMb()
  for (let round = 0; round < 4; round++) await flood('same')
  const afterSame = await memoryMb()
  assert.equal(await metric(server, 'trackalert_alerts_open{severity="medium"}'), 10_000)

  await receiver.waitForCount(1, 60_000)
  const { total, alerts } = JSON.parse(receiver.received[0]?.body ?? '') as {
    readonly total: number
    readonly alerts: readonly { readonly key: string; readonly count: number }[]
  }
  assert.deepEqual([total, alerts.length], [10_001, 100])
  assert.equal(alerts.find(({ key }) => key === 'same')?.count, 50_000)
  // All of them are raised again while the interval lasts, and another once the next notification might have been sent.
  await flood()
  const intervalEndMs = (receiver.received[0]?.atMs ?? 0) + FLOOD_INTERVAL_MS
  await sleep(Math.max(0, intervalEndMs + 500 - performance.now()))
  await ask(server, 'flood', { from: '0' })
  await ask(server, 'after')
  await after.waitForCount(1)
  assert.equal(receiver.received.length, 1)
  const atEnd = await memoryMb()
  t.diagnostic(`MB: ${[before, afterFirst, afterSame, atEnd].map(Math.round).join(', ')}`)
  assert.ok(afterFirst - before < 150, `ten thousand alerts take ${afterFirst - before} MB`)
  assert.ok(atEnd - afterFirst < 100, `raising them again takes ${atEnd - afterFirst} MB`)
})
