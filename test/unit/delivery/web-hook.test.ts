import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { parseWebHookDefinition, type WebHookDefinition } from '../../../src/delivery/web-hook.ts'

function parse(keys: Readonly<Record<string, string>>, name = 'alerts'): WebHookDefinition {
  const parsed = parseWebHookDefinition(name, new Map(Object.entries(keys)), 3)
  assert.ok(parsed.ok, parsed.ok ? '' : parsed.reason)
  return parsed.definition
}

test('a URL alone makes a webhook of JSON', () => {
  const hook = parse({ url: 'http://hooks.example:8080/a' })
  assert.deepEqual(hook, {
    id: 3,
    name: 'alerts',
    url: 'http://hooks.example:8080/a',
    origin: 'http://hooks.example:8080',
    contentType: 'application/json',
    basicAuth: undefined,
    apiKey: undefined,
    secret: undefined,
    kafka: false,
  })
})

test('every key of the reference is taken', () => {
  const hook = parse({
    url: 'https://hooks.example/%{YYYY}',
    secret: 'line\nend',
    'basic-auth': 'user:pa:ss',
    'api-key': 'key',
    'content-type': 'text/plain',
    kafka: 'false',
    num_conns: '10',
  })
  assert.equal(hook.secret?.reveal(), 'line\nend')
  assert.equal(hook.basicAuth?.reveal(), 'user:pa:ss')
  assert.equal(hook.apiKey?.reveal(), 'key')
  assert.equal(hook.contentType, 'text/plain')
})

test('with kafka the content-type is that of its REST proxy', () => {
  const hook = parse({ url: 'http://h/', kafka: 'true', 'content-type': 'text/plain' })
  assert.equal(hook.contentType, 'application/vnd.kafka.json.v2+json')
})

test('credentials in the URL become basic authorization and leave the URL', () => {
  const hook = parse({ url: 'https://us%40er:p%3Aass@hooks.example/%{MM}?a=b@c' })
  assert.equal(hook.url, 'https://hooks.example/%{MM}?a=b@c')
  assert.equal(hook.basicAuth?.reveal(), 'us@er:p:ass')
})

test('the key basic-auth wins over credentials in the URL', () => {
  const hook = parse({ url: 'https://a:b@hooks.example/', 'basic-auth': 'c:d' })
  assert.equal(hook.basicAuth?.reveal(), 'c:d')
  assert.equal(hook.url, 'https://hooks.example/')
})

test('a printed webhook shows no secret', () => {
  const hook = parse({
    url: 'https://user:SECRET@h/',
    secret: 'SECRET',
    'api-key': 'SECRET',
  })
  assert.ok(!(inspect(hook) + JSON.stringify(hook)).includes('SECRET'))
})

const bad = [
  [{}, 'url is missing'],
  [{ url: 'gopher://h/' }, 'http://'],
  [{ url: 'ftp://user:SECRET@h/' }, '***@h'],
  [{ url: 'http://h/', colour: 'red' }, '"colour"'],
  [{ url: 'http://h/', allow_filter: 'reject' }, "wforce's own events"],
  [{ url: 'http://h/', secret: '' }, 'must not be empty'],
  [{ url: 'http://h/', 'api-key': 'SECRET\r\nX-Injected: 1' }, 'control characters'],
  [{ url: 'http://h/', 'content-type': 'text/plain\n' }, 'control characters'],
  [{ url: 'http://h/', 'basic-auth': 'SECRET' }, 'user:password'],
  [{ url: 'http://h/', kafka: 'yes' }, '"true" or "false"'],
] as const

for (const [keys, reason] of bad) {
  test(`${JSON.stringify(keys)} is refused, naming the webhook and what is wrong`, () => {
    const parsed = parseWebHookDefinition('alerts', new Map(Object.entries(keys)))
    assert.ok(!parsed.ok)
    assert.ok(parsed.reason.includes(reason) && parsed.reason.includes('"alerts"'), parsed.reason)
    assert.ok(!parsed.reason.includes('SECRET'), parsed.reason)
  })
}

for (const name of ['', 'a\r\nb', 'sink:ops']) {
  test(`a webhook cannot be named ${JSON.stringify(name)}`, () => {
    assert.equal(parseWebHookDefinition(name, new Map([['url', 'http://h/']])).ok, false)
  })
}
