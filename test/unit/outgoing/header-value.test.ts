import assert from 'node:assert/strict'
import { test } from 'node:test'
import { basicAuthorization, headerValue, isSafeHeaderValue } from '../../../src/outgoing/header-value.ts'

for (const text of ['a\r\nX-Injected: 1', 'a\nb', 'a\rb', 'a\0b', '\u007f', '\u001b[31m']) {
  test(`${JSON.stringify(text)} cannot be a header's value`, () => {
    assert.equal(isSafeHeaderValue(text), false)
  })
}

for (const text of ['', 'plain', 'tab\there', 'über', '\udcff']) {
  test(`${JSON.stringify(text)} can be a header's value`, () => {
    assert.equal(isSafeHeaderValue(text), true)
  })
}

test('a header value has one character per byte of the text', () => {
  assert.equal(headerValue('é\udcff'), '\u00c3\u00a9\u00ff')
})

test('basic authorization is the base64 of the bytes', () => {
  assert.equal(basicAuthorization('wforce:süper'), `Basic ${Buffer.from('wforce:süper').toString('base64')}`)
})
