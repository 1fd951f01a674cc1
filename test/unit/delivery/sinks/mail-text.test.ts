import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { AlertNotification } from '../../../../src/delivery/alert-notification.ts'
import { isAddress, parseMailbox } from '../../../../src/delivery/sinks/email/mailbox.ts'
import { mailText } from '../../../../src/delivery/sinks/email/mail-text.ts'
import { cutBytes, oneLine } from '../../../../src/delivery/sinks/clean-text.ts'
import type { SinkMessage } from '../../../../src/delivery/sinks/sink-port.ts'
import { ALERT, notification } from '../../../support/notifications.ts'

const OWN_WORDS = { subject: undefined, text: undefined }

function message(told: AlertNotification): SinkMessage {
  return { deliveryId: 'd', body: JSON.stringify(told), notification: told, alert: told.alerts[0] ?? ALERT }
}

test('the subject of one alert has severity, rule, key, message and count', () => {
  const { subject } = mailText(OWN_WORDS, [message(notification())])
  assert.equal(subject, '[trackalert] high impossible-travel (ann): from GB to BR in 10 minutes (3 times)')
})

test('the subject of an end says so, and so does the text', () => {
  const { subject, text } = mailText(OWN_WORDS, [
    message(notification([{ state: 'resolved' }], { reason: 'resolved' })),
  ])
  assert.match(subject, /^\[trackalert\] resolved: high /)
  assert.match(text, /^RESOLVED HIGH/)
})

test('several notifications are one text with each alert once, as it was told last', () => {
  const { subject, text } = mailText(OWN_WORDS, [
    message(
      notification([
        { id: 1, message: 'older' },
        { id: 2, rule: 'spray', severity: 'critical' },
      ]),
    ),
    message(notification([{ id: 1, message: 'newer' }], { total: 51 })),
  ])
  assert.equal(subject, '[trackalert] critical: 52 alerts: impossible-travel, spray')
  assert.doesNotMatch(text, /older/)
  assert.match(text, /newer/)
  assert.match(text, /and 50 more/)
})

test('whatever an alert contains, the subject is one short line and the HTML has no other tags than ours', () => {
  const text = fc.string({
    unit: fc.constantFrom('<', '>', '&', '"', "'", '\r', '\n', '\0', 'a', '/', '\udc80', '😀'),
  })
  const tags = /<\/?(?:html|body|h3|p|table|tr|td|!DOCTYPE html)>/g
  fc.assert(
    fc.property(text, text, text, fc.boolean(), (rule, key, words, hasTemplate) => {
      const told = message(notification([{ rule, key, message: words, user: key, data: { a: words } }]))
      const templates = hasTemplate ? { subject: '%{rule}%{message}', text: '%{message}' } : OWN_WORDS
      const { subject, html } = mailText(templates, [told])
      assert.ok(Buffer.byteLength(subject) <= 200)
      // oxlint-disable-next-line no-control-regex -- control characters are what it looks for
      assert.doesNotMatch(subject, /[\u0000-\u001f]/)
      assert.doesNotMatch(
        html.replaceAll(tags, '').replaceAll(/<\/?pre>/g, ''),
        /[<>"']|&(?!(?:amp|lt|gt|quot|#39);)/,
      )
    }),
  )
})

test('cutBytes keeps whole characters within the limit', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 60 }), fc.nat(80), (text, limit) => {
      const cut = cutBytes(text, limit)
      assert.ok(Buffer.byteLength(cut) <= limit)
      assert.ok(cut === text || cut === '' || (cut.endsWith('…') && text.startsWith(cut.slice(0, -1))))
      assert.equal(cut === text, Buffer.byteLength(text) <= limit)
    }),
  )
})

test('oneLine leaves no character that some reader takes for a line end', () => {
  assert.equal(oneLine('a\r\nb\u0085c\u2028d\te\0 \udc80'), 'a b c d e  \ufffd')
})

for (const address of ['ann@example.com', "o'hara+tag@mail.example", 'ännä@exämple.de', 'a.b@localhost']) {
  test(`${address} is an address`, () => assert.ok(isAddress(address)))
}
for (const text of [
  '',
  'ann',
  'a@b@c',
  'a b@c.de',
  'a@-b.de',
  'a..b@c.de',
  'a@b..de',
  'a@b.de\r\nBcc: x@y.de',
  '"a b"@c.de',
  'a@[127.0.0.1]',
  'a@b.de,c@d.de',
  'a@b.de\udc80',
  `${'a'.repeat(250)}@b.de`,
]) {
  test(`${JSON.stringify(text)} is no address`, () => assert.ok(!isAddress(text)))
}

test('a mailbox may have a name', () => {
  assert.deepEqual(parseMailbox('Ann B. <a@b.de>'), { name: 'Ann B.', address: 'a@b.de' })
  assert.deepEqual(parseMailbox('"Ann, B." <a@b.de>'), { name: 'Ann, B.', address: 'a@b.de' })
  assert.equal(parseMailbox('<a@b.de'), undefined)
})
