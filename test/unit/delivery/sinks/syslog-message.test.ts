import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { syslogMessage } from '../../../../src/delivery/sinks/syslog/syslog-message.ts'
import { ALERT, notification } from '../../../support/notifications.ts'
import { parseRfc3164, parseRfc5424 } from '../../../support/syslog-grammar.ts'

const ORIGIN = { hostname: 'mail.example', pid: 42 }
const MODERN = {
  format: 'rfc5424',
  facility: 4,
  tag: 'trackalert',
  enterprise: 32_473,
  maxBytes: 2048,
} as const
const OLD = { ...MODERN, format: 'rfc3164', maxBytes: 1024 } as const

test('an alert as RFC 5424', () => {
  const message = parseRfc5424(syslogMessage(MODERN, ORIGIN, notification(), ALERT))
  const { data, ...rest } = message
  assert.deepEqual(rest, {
    facility: 4,
    severity: 3,
    time: '2025-11-02T03:14:05.000Z',
    hostname: 'mail.example',
    app: 'trackalert',
    pid: '42',
    messageId: 'alert',
    text: 'high alert impossible-travel (ann): from GB to BR in 10 minutes (3 times)',
  })
  assert.deepEqual([...data.keys()], ['alert@32473'])
  assert.deepEqual(Object.fromEntries(data.get('alert@32473') ?? []), {
    id: '7',
    rule: 'impossible-travel',
    severity: 'high',
    state: 'open',
    reason: 'new',
    count: '3',
    key: 'ann',
    user: 'ann',
    remote: '192.0.2.7',
    value: '900.5',
    threshold: '500',
  })
})

test('an alert as RFC 3164, with the day padded by a blank', () => {
  const message = parseRfc3164(syslogMessage(OLD, ORIGIN, notification(), ALERT))
  const { time, ...rest } = message
  assert.match(time, /^Nov {2}[12] \d\d:14:05$/)
  assert.deepEqual(rest, {
    facility: 4,
    severity: 3,
    hostname: 'mail.example',
    tag: 'trackalert',
    text: 'high alert impossible-travel (ann): from GB to BR in 10 minutes (3 times)',
  })
})

for (const [severity, number] of [
  ['info', 6],
  ['low', 5],
  ['medium', 4],
  ['high', 3],
  ['critical', 2],
] as const) {
  test(`the severity ${severity} is ${number}`, () => {
    const alert = { ...ALERT, severity }
    assert.equal(parseRfc5424(syslogMessage(MODERN, ORIGIN, notification(), alert)).severity, number)
  })
}

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 3000 }),
  fc.string({
    unit: fc.constantFrom('"', '\\', ']', '[', '\n', '\r', '\0', '\u2028', 'é', '\udc80', '😀', ' '),
    maxLength: 400,
  }),
)

test('whatever an alert contains, the message is one, fits, and follows the grammar', () => {
  fc.assert(
    fc.property(text, text, text, fc.integer({ min: 480, max: 9000 }), (rule, key, message, maxBytes) => {
      const alert = { ...ALERT, rule, key, user: key, message }
      for (const sink of [MODERN, OLD]) {
        const bytes = syslogMessage({ ...sink, maxBytes }, ORIGIN, notification(), alert)
        assert.ok(bytes.length <= maxBytes, `${bytes.length} of ${maxBytes}`)
        // oxlint-disable-next-line no-control-regex -- control characters are what it looks for
        assert.doesNotMatch(bytes.toString(), /[\u0000-\u001f\u007f-\u009f]/)
        if (sink === MODERN) parseRfc5424(bytes)
        else parseRfc3164(bytes)
      }
    }),
  )
})

test('values of structured data come back as they were', () => {
  const key = 'a"b\\c]d=e [f'
  const message = parseRfc5424(syslogMessage(MODERN, ORIGIN, notification(), { ...ALERT, key }))
  assert.equal(message.data.get('alert@32473')?.get('key'), key)
})
