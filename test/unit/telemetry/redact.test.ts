import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { redactFields, redactText } from '../../../src/telemetry/redact.ts'

test('a field whose name says that it is a secret is covered, however it is spelled', () => {
  const names =
    'password Passwd smtp_password controlPassphrase pwd secret clientSecret api-key apiKey API_KEY Authorization ' +
    'token session-token cookie credentials'
  for (const name of names.split(' '))
    assert.deepEqual(redactFields({ [name]: 'hunter2' }), { [name]: '***' }, name)
})

test('what only sounds like a secret stays: counts, switches, other names', () => {
  const fields = {
    passwordFailures: '3 in a row',
    tokens: 5,
    password: true,
    secret: '',
    key: 'ann',
    login: 'ann@example.com',
    // A few bits of a hash, for policies to compare.
    pwhash: 'a1b2',
    compass: undefined,
  }
  assert.equal(redactFields(fields), fields)
})

test('user and password of a URL are covered wherever it stands', () => {
  assert.equal(
    redactText('GET http://ann:pa:ss@w@example.com/x?y=a@b and smtp://u:p@[2001:db8::1]:25 failed'),
    'GET http://***@example.com/x?y=a@b and smtp://***@[2001:db8::1]:25 failed',
  )
  assert.equal(redactText('http://example.com/a@b'), 'http://example.com/a@b')
})

test('an Authorization header is covered in every spelling', () => {
  for (const text of [
    'authorization: Basic d2ZvcmNlOnNlY3JldA==',
    'Authorization:Bearer d2ZvcmNlOnNlY3JldA==',
    '{"authorization":"Basic d2ZvcmNlOnNlY3JldA==","x":1}',
    'AUTHORIZATION = d2ZvcmNlOnNlY3JldA==',
    'Proxy-Authorization: basic   d2ZvcmNlOnNlY3JldA==',
  ]) {
    assert.doesNotMatch(redactText(text), /d2Zv/, text)
    assert.match(redactText(text), /\*\*\*/)
  }
  assert.equal(redactText('the authorization failed'), 'the authorization failed')
})

test('no password in a URL survives, whatever it is made of', () => {
  const password = fc.string({
    unit: fc.constantFrom(...'a b Z 0 9 : @ % ! $ & ( ) * + , ; = - . _ ~ ü'.split(' ')),
    minLength: 1,
  })
  fc.assert(
    fc.property(password, fc.string(), (secret, before) => {
      const text = redactText(`${before} https://user:${secret}@host/path`)
      assert.ok(text.endsWith(' https://***@host/path'), text)
    }),
  )
})

test('a long text costs time in proportion to its length', () => {
  const startMs = performance.now()
  redactText('authorization'.repeat(20_000) + '://'.repeat(100_000) + ' '.repeat(100_000))
  // Quadratic would be minutes.
  assert.ok(performance.now() - startMs < 5_000)
})
