import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ANSWER_LUA, ask, eventually, metric, report } from '../support/ask-server.ts'
import { privateCa } from '../support/private-ca.ts'
import { BASE_CONFIGURATION, startServer } from '../support/server-process.ts'
import { parseMail, startSmtp } from '../support/smtp-receiver.ts'
import { startReceiver } from '../support/web-hook-receiver.ts'

const TEST_LUA = `${ANSWER_LUA}
  setCustomEndpoint("test", function(args)
    local ok, said = testAlertSink(args.attrs.sink)
    return answer({ok=ok, said=said})
  end)`

test('testAlertSink sends a marked test through each sink and tells what came of it', async (t) => {
  const login = { user: 'track', password: 'Password4711' }
  const smtp = await startSmtp(t, { login })
  const receiver = await startReceiver(t)
  const server = await startServer(t, {
    configuration: `${BASE_CONFIGURATION}${TEST_LUA}
      addAlertSink("mail", "email", {host="localhost", port=${smtp.port}, ca="${privateCa.caFile}",
        user="track", password="Password4711", from="track@alerts.example", to={"ops@example.com"}})
      addAlertSink("desk", "webhook", {url="${receiver.url}", secret="Secret4711"})
      addAlertSink("script", "exec", {argv={"/bin/sh", "-c", 'read line; echo "$TRACKALERT_KIND $TRACKALERT_SINK"'}})
      addAlertSink("late", "exec", {argv="/no/such/script"})
      addAlertSink("wrong", "email", {host="localhost", port=${smtp.port}, ca="${privateCa.caFile}",
        user="track", password="Wrong4711", from="track@alerts.example", to="ops@example.com"})`,
    args: ['-s', '-v', '-C', 'CONF'],
  })
  const tested = (sink: string): Promise<unknown> => ask(server, 'test', { sink })
  assert.deepEqual(await tested('mail'), { ok: true, said: '250 2.0.0 queued as mail 1' })
  assert.match(
    parseMail(smtp.mails[0]?.raw ?? '').headers.get('subject') ?? '',
    /^\[trackalert\] TEST info server\.test \(mail\)/,
  )
  assert.deepEqual(await tested('desk'), { ok: true, said: 'status 200' })
  assert.match(receiver.received[0]?.body ?? '', /^\{"kind":"test"/)
  assert.deepEqual(await tested('script'), { ok: true, said: 'exit status 0: test script' })
  assert.deepEqual(await tested('wrong'), { ok: false, said: '535 5.7.8 no such login' })
  assert.deepEqual(await tested('none'), {
    ok: false,
    said: 'there is no alert sink "none"; there are mail, desk, script, late, wrong',
  })
  await server.waitFor(/alert sink \\?"late\\?": its script cannot be run so far: .*ENOENT/)
  const metrics = await (await server.get('/metrics')).text()
  assert.doesNotMatch(server.output + metrics, /(Password|Wrong|Secret)4711/)
})

test('webhooks of a name that is gone wait, are told of, and leave when the name is back', async (t) => {
  const receiver = await startReceiver(t)
  const policy = (hook: string, url: string): string => `${BASE_CONFIGURATION}
    addCustomWebHook("${hook}", {url="${url}"})
    setReport(function(lt) runCustomWebHook("${hook}", lt.login) end)`
  const first = await startServer(t, { configuration: policy('alerts', 'http://127.0.0.1:9/') })
  await report(first, { login: 'ann' })
  await eventually('nothing waits', async () => (await metric(first, 'trackalert_webhook_queue_size')) === 1)
  await first.stop('SIGKILL')
  const { folder } = first

  const second = await startServer(t, { configuration: policy('alerst', receiver.url), folder })
  await second.waitFor(
    /messages wait for a webhook or sink that the configuration does not name: .*hook="alerts" messages="1"/,
  )
  assert.equal(await metric(second, 'trackalert_webhook_queue_size'), 1)
  await second.stop()

  const third = await startServer(t, { configuration: policy('alerts', receiver.url), folder })
  await receiver.waitForCount(1)
  assert.equal(receiver.received[0]?.body, 'ann')
  await eventually(
    'it is not settled',
    async () => (await metric(third, 'trackalert_webhook_queue_size')) === 0,
  )
})
