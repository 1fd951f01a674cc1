import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseDuration } from '../../../src/schedule/interval.ts'

const cases: readonly (readonly [string, number | undefined])[] = [
  ['10', 36_000],
  ['00:00:01', 1],
  ['5:01', 18_060],
  ['00:30:00', 1800],
  ['24', 86_400],
  ['0', 0],
  [' 1:00 ', 3600],
  ['1:60', undefined],
  ['1:00:60', undefined],
  ['', undefined],
  ['1h', undefined],
  ['-1', undefined],
  ['1:2:3:4', undefined],
]

for (const [text, seconds] of cases) {
  test(`the duration ${JSON.stringify(text)} is ${seconds ?? 'refused'}`, () => {
    assert.equal(parseDuration(text), seconds)
  })
}
