import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseDate, parseTimeSpan } from '../../../src/alerts/time-span.ts'

const SPANS: readonly (readonly [text: string, ms: number | undefined])[] = [
  ['30s', 30_000],
  ['1.5m', 90_000],
  [' 4 h ', 14_400_000],
  ['2d', 172_800_000],
  ['1w', 604_800_000],
  ['0s', 0],
  ['', undefined],
  ['5', undefined],
  ['-5s', undefined],
  ['5ms', undefined],
  ['5m5s', undefined],
  ['1e3s', undefined],
]

for (const [text, ms] of SPANS)
  test(`${JSON.stringify(text)} is ${ms ?? 'no'} milliseconds`, () => assert.equal(parseTimeSpan(text), ms))

const DATES: readonly (readonly [text: string, ms: number | undefined])[] = [
  ['2026-11-21', new Date(2026, 10, 21).getTime()],
  ['2026-11-21 18:30', new Date(2026, 10, 21, 18, 30).getTime()],
  ['2026-11-21T18:30:05Z', Date.UTC(2026, 10, 21, 18, 30, 5)],
  ['2026-11-21T18:30+02:00', Date.UTC(2026, 10, 21, 16, 30)],
  ['2026-13-41', undefined],
  ['21.11.2026', undefined],
  ['tomorrow', undefined],
]

for (const [text, ms] of DATES)
  test(`${JSON.stringify(text)} is ${ms === undefined ? 'no date' : 'a date'}`, () =>
    assert.equal(parseDate(text), ms))
