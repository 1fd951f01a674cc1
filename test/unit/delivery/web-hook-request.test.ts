import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { parseWebHookDefinition } from '../../../src/delivery/web-hook.ts'
import { buildRequest, type WebHookRequest } from '../../../src/delivery/web-hook-request.ts'

const NOW = Date.UTC(2025, 2, 4)

function build(keys: Readonly<Record<string, string>>, body: string): WebHookRequest {
  const parsed = parseWebHookDefinition('alerts', new Map(Object.entries(keys)), 3)
  assert.ok(parsed.ok)
  return buildRequest(parsed.definition, { deliveryId: 'an-id', body }, NOW)
}

test('a plain webhook has the headers of the reference and no others', () => {
  const request = build({ url: 'http://hooks.example/a' }, '{"a":1}')
  assert.deepEqual(request.headers, {
    'Content-Type': 'application/json',
    'X-Wforce-Event': 'alerts',
    'X-Wforce-HookID': '3',
    'X-Wforce-Delivery': 'an-id',
  })
  assert.equal(Buffer.from(request.body).toString(), '{"a":1}')
})

test('secrets become their headers', () => {
  const { headers } = build(
    { url: 'http://h/', secret: '12345', 'basic-auth': 'u:p', 'api-key': 'k' },
    'body',
  )
  assert.equal(headers['X-Wforce-Signature'], createHmac('sha256', '12345').update('body').digest('base64'))
  const timed = createHmac('sha256', '12345')
    .update(`${NOW / 1000}.body`)
    .digest('hex')
  assert.equal(headers['X-Trackalert-Timestamp'], String(NOW / 1000))
  assert.equal(headers['X-Trackalert-Signature'], `v1=${timed}`)
  assert.equal(headers['Authorization'], `Basic ${btoa('u:p')}`)
  assert.equal(headers['X-API-Key'], 'k')
})

test('the timed signature of a later try is another one, the delivery id the same', () => {
  const parsed = parseWebHookDefinition(
    'alerts',
    new Map([
      ['url', 'http://h/'],
      ['secret', 's'],
    ]),
  )
  assert.ok(parsed.ok)
  const [first, second] = [NOW, NOW + 1000].map(
    (nowMs) => buildRequest(parsed.definition, { deliveryId: 'd', body: 'b' }, nowMs).headers,
  )
  assert.notEqual(first?.['X-Trackalert-Signature'], second?.['X-Trackalert-Signature'])
  assert.equal(first?.['X-Wforce-Delivery'], second?.['X-Wforce-Delivery'])
})

test('bytes that are not UTF-8 are sent and signed as they are', () => {
  const { headers, body } = build({ url: 'http://h/', secret: 's' }, 'caf\udce9')
  const bytes = Buffer.from([0x63, 0x61, 0x66, 0xe9])
  assert.deepEqual(Buffer.from(body), bytes)
  assert.equal(headers['X-Wforce-Signature'], createHmac('sha256', 's').update(bytes).digest('base64'))
})

test('with kafka the body is one record, and the signature is that of what is sent', () => {
  const { headers, body } = build({ url: 'http://h/', kafka: 'true', secret: 's' }, '{"a":1}')
  assert.equal(Buffer.from(body).toString(), '{"records":[{"value":{"a":1}}]}')
  assert.equal(headers['Content-Type'], 'application/vnd.kafka.json.v2+json')
  assert.equal(headers['X-Wforce-Signature'], createHmac('sha256', 's').update(body).digest('base64'))
})

test('the date in the URL is that of the sending', () => {
  assert.equal(build({ url: 'http://h/%{YYYY}/%{MM}/%{dd}' }, '').url.href, 'http://h/2025/03/04')
})
