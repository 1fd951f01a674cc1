import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  backOffMs,
  classify,
  DEFAULT_RETRY_POLICY,
  MAX_RETRY_AFTER_MS,
  parseRetryAfterMs,
} from '../../../src/delivery/retry.ts'

const NOW = Date.UTC(1994, 10, 6, 8, 49, 37)

function expectedOf(status: number): string {
  if (status >= 200 && status <= 299) return 'success'
  if ([408, 425, 429].includes(status)) return 'retry busy'
  if (status >= 500) return 'retry server-error'
  if (status === 401 || status === 403) return 'final unauthorized'
  if (status >= 300 && status <= 399) return 'final redirect'
  return status >= 400 ? 'final refused' : 'final unexpected'
}

test('every status is a success, worth another try, or final', () => {
  for (let status = 100; status <= 599; status++) {
    const verdict = classify({ kind: 'answer', status, retryAfter: undefined }, NOW)
    const found = verdict.kind === 'success' ? 'success' : `${verdict.kind} ${verdict.reason}`
    assert.equal(found, expectedOf(status), String(status))
  }
})

test('a network failure is worth another try', () => {
  assert.deepEqual(classify({ kind: 'failure', failure: { kind: 'timeout', text: '' } }, NOW), {
    kind: 'retry',
    reason: 'timeout',
    retryAfterMs: undefined,
  })
})

test('Retry-After counts for the answers that ask to come again', () => {
  for (const status of [408, 425, 429, 500, 503]) {
    const verdict = classify({ kind: 'answer', status, retryAfter: '7' }, NOW)
    assert.ok(verdict.kind === 'retry' && verdict.retryAfterMs === 7000)
  }
})

const headers = [
  ['0', 0],
  ['120', 120_000],
  [' 5 ', 5_000],
  ['Sun, 06 Nov 1994 08:50:37 GMT', 60_000],
  ['Sunday, 06-Nov-94 08:50:37 GMT', 60_000],
  ['Sun Nov  6 08:50:37 1994', 60_000],
  ['Sun, 06 Nov 1994 08:00:00 GMT', 0],
  ['Fri, 31 Dec 9999 23:59:59 GMT', MAX_RETRY_AFTER_MS],
  ['99999999999999999999', MAX_RETRY_AFTER_MS],
  ['-5', undefined],
  ['1.5', undefined],
  ['', undefined],
  ['soon', undefined],
  ['Sun, 99 Nov 1994 08:50:37 GMT', undefined],
  [undefined, undefined],
] as const

for (const [header, expected] of headers) {
  test(`Retry-After ${JSON.stringify(header)} asks to wait ${expected} ms`, () => {
    assert.equal(parseRetryAfterMs(header, NOW), expected)
  })
}

test('no Retry-After header throws or leaves the bounds', () => {
  const month = fc.constantFrom('Jan', 'Feb', 'Xyz')
  const number = fc.integer({ min: 0, max: 99_999 })
  const nearlyDate = fc
    .tuple(number, month, number, number)
    .map(([day, name, year, time]) => `Mon, ${day} ${name} ${year} ${time}:00:00 GMT`)
  fc.assert(
    fc.property(fc.oneof(fc.string(), nearlyDate, fc.nat().map(String)), fc.nat(), (header, nowMs) => {
      const delayMs = parseRetryAfterMs(header, nowMs)
      return delayMs === undefined || (delayMs >= 0 && delayMs <= MAX_RETRY_AFTER_MS)
    }),
  )
})

test('back-off is within the upper half of 1 s doubled per failure, and never over 5 minutes', () => {
  const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5000 }), random, (tries, chance) => {
      const fullMs = Math.min(1000 * 2 ** (tries - 1), 300_000)
      const delayMs = backOffMs(tries, chance, DEFAULT_RETRY_POLICY)
      return delayMs >= fullMs / 2 && delayMs <= fullMs
    }),
  )
})
