import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseEndpoint } from '../../../src/config/endpoint.ts'

const good = [
  ['127.0.0.1:8084', undefined, '127.0.0.1', 8084],
  ['0.0.0.0:0', undefined, '0.0.0.0', 0],
  ['[::1]:9000', undefined, '::1', 9000],
  ['[2001:db8::1]', 5199, '2001:db8::1', 5199],
  ['192.0.2.1', 5199, '192.0.2.1', 5199],
  ['::1', 5199, '::1', 5199],
  ['192.0.2.1:4004', 5199, '192.0.2.1', 4004],
] as const

for (const [text, defaultPort, host, port] of good) {
  test(`${text} is host ${host} and port ${port}`, () => {
    assert.deepEqual(parseEndpoint(text, defaultPort), { ok: true, host, port })
  })
}

const bad = [
  ['127.0.0.1', 'lacks a port'],
  ['[::1]', 'lacks a port'],
  ['::1', 'lacks a port'],
  ['localhost:8084', 'no address'],
  ['', 'no address'],
  [':8084', 'no address'],
  ['127.0.0.1:65536', 'over 65535'],
  ['127.0.0.1:http', 'no address'],
  ['999.0.0.1:80', 'no address'],
] as const

for (const [text, reason] of bad) {
  test(`${JSON.stringify(text)} is refused: ${reason}`, () => {
    const parsed = parseEndpoint(text)
    assert.ok(!parsed.ok)
    assert.ok(parsed.reason.includes(reason) && parsed.reason.includes(JSON.stringify(text)), parsed.reason)
  })
}
