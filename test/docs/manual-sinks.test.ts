/** What the manual says of alert sinks, against the code. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { MACRO_NAMES } from '../../src/delivery/sinks/alert-macros.ts'
import { parseAlertSink, SINK_TYPES, type SinkType } from '../../src/delivery/sinks/alert-sink.ts'
import type { SinkKeyValues } from '../../src/delivery/sinks/sink-keys.ts'
import { parseWebHookDefinition } from '../../src/delivery/web-hook.ts'
import { buildRequest } from '../../src/delivery/web-hook-request.ts'
import { readManPage, tagsOf } from '../support/man-page.ts'

/** What each type must have. */
const NEEDED: Readonly<Record<SinkType, SinkKeyValues>> = {
  webhook: { url: 'http://192.0.2.1/' },
  email: { host: '192.0.2.1', from: 'a@b.example', to: 'c@d.example' },
  syslog: { host: '192.0.2.1' },
  snmp: { host: '192.0.2.1' },
  exec: { argv: '/bin/true' },
}

describe('ALERT SINKS of trackalert.conf(5)', () => {
  const page = readManPage('trackalert.conf.5')

  for (const type of SINK_TYPES) {
    const refused = parseAlertSink('sink', type, { 'no such key': true })
    const keys = refused.ok ? [] : refused.reason.replace(/.*it takes /, '').split(', ')
    const entries = page.entries.filter(({ subsection }) => subsection === `Sinks of the type ${type}`)

    test(`has an entry for every key of the type ${type}, and no other`, () => {
      assert.notEqual(keys.length, 0)
      assert.deepEqual(entries.map(({ tag }) => tag).toSorted(), keys.toSorted())
    })

    for (const key of keys) {
      const range = /^\S+ must be a whole number of .* (from \d+ to \d+)$/.exec(
        refusalOf(type, key, 0.5),
      )?.[1]
      if (range === undefined || ['enterprise', 'uid', 'gid'].includes(key)) continue
      test(`tells the limits of ${key} of the type ${type}`, () => {
        assert.ok(entries.find(({ tag }) => tag === key)?.body.includes(range), range)
      })
    }

    test(`names every choice of the type ${type}`, () => {
      for (const key of keys) {
        const choices =
          /must be one of (.*)$/.exec(refusalOf(type, key, 'no such choice'))?.[1]?.split(', ') ?? []
        const body = entries.find(({ tag }) => tag === key)?.body ?? ''
        for (const choice of choices.filter((name) => !/^local[1-6]$/.test(name)))
          assert.match(body, new RegExp(`\\b${choice}\\b`), `${key} ${choice}`)
      }
    })
  }

  test('has every macro, and no other', () => {
    const tags = tagsOf(page, 'ALERT SINKS', 'Macros')
    assert.deepEqual(tags.toSorted(), MACRO_NAMES.map((name) => `%{${name}}`).toSorted())
  })
})

/** What is said of one key with a wrong value, without the sink's name. */
function refusalOf(type: SinkType, key: string, value: string | number): string {
  const parsed = parseAlertSink('sink', type, { ...NEEDED[type], [key]: value })
  if (parsed.ok) return ''
  return parsed.reason.replace(/^alert sink "sink": /, '')
}

describe('the signature with a time in trackalert_webhook(5)', () => {
  const page = readManPage('trackalert_webhook.5')
  const NOW_SECONDS = 1_764_000_000
  const parsed = parseWebHookDefinition(
    'hook',
    new Map([
      ['url', 'http://192.0.2.1/'],
      ['secret', 'verysecretcode'],
    ]),
  )
  assert.ok(parsed.ok)
  const { headers, body } = buildRequest(
    parsed.definition,
    { deliveryId: '4b2f', body: '{"login":"ann"}' },
    NOW_SECONDS * 1000 + 999,
  )
  const small = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
  )

  test('is shown as it is', () => {
    const signature = String(headers['X-Trackalert-Signature']).replace('v1=', '')
    assert.ok(page.source.includes(`\n${signature}\n`), signature)
  })

  test('has a script that takes what is right and fresh, and nothing else', async () => {
    const script = page.examples.find(({ name }) => name === 'verify-timed-signature')?.text ?? ''
    const module: unknown = await import(`data:text/javascript,${encodeURIComponent(script)}`)
    const { isFresh } = module as {
      isFresh: (body: Uint8Array, headers: object, secret: string, nowSeconds: number) => boolean
    }
    const signature = small['x-trackalert-signature'] ?? ''
    assert.equal(isFresh(body, small, 'verysecretcode', NOW_SECONDS + 10), true)
    assert.equal(isFresh(body, small, 'another', NOW_SECONDS + 10), false)
    assert.equal(isFresh(body, small, 'verysecretcode', NOW_SECONDS + 301), false)
    assert.equal(isFresh(Buffer.from('{}'), small, 'verysecretcode', NOW_SECONDS), false)
    assert.equal(isFresh(body, {}, 'verysecretcode', NOW_SECONDS), false)
    const later = { ...small, 'x-trackalert-timestamp': String(NOW_SECONDS + 600) }
    assert.equal(isFresh(body, later, 'verysecretcode', NOW_SECONDS + 600), false)
    const two = { ...small, 'x-trackalert-signature': `v1=00, ${signature}` }
    assert.equal(isFresh(body, two, 'verysecretcode', NOW_SECONDS), true)
  })
})
