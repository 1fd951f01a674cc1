import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createGlob, createMatcher } from '../../../src/alerts/alert-matcher.ts'

/** Tries every length for every star. */
function naive(pattern: string, text: string): boolean {
  if (pattern === '') return text === ''
  const rest = pattern.slice(1)
  if (pattern[0] === '*')
    return Array.from({ length: text.length + 1 }, (_, length) => text.slice(length)).some((end) =>
      naive(rest, end),
    )
  return text !== '' && (pattern[0] === '?' || pattern[0] === text[0]) && naive(rest, text.slice(1))
}

test('a pattern fits what a naive search says', () => {
  const letters = (alphabet: string, maxLength: number) =>
    fc.array(fc.constantFrom(...alphabet.split('')), { maxLength }).map((all) => all.join(''))
  fc.assert(
    fc.property(letters('ab*?.', 6), letters('ab.*', 8), (pattern, text) => {
      assert.equal(createGlob(pattern)(text), naive(pattern, text))
    }),
    { numRuns: 2000 },
  )
})

test('a hostile pattern costs no more than text times pattern', () => {
  const begin = process.cpuUsage().user
  assert.equal(createGlob(`${'*a'.repeat(60)}b`)('a'.repeat(1024)), false)
  assert.ok(process.cpuUsage().user - begin < 1_000_000)
})

test('everything that is given must fit', () => {
  const matches = createMatcher({ rule: 'spray', key: '10.*', leastSeverity: 'low', mostSeverity: 'high' })
  const right = { rule: 'spray', key: '10.1', severity: 'medium' } as const
  assert.equal(matches(right), true)
  assert.equal(matches({ ...right, rule: 'spray2' }), false)
  assert.equal(matches({ ...right, key: '11.10.' }), false)
  assert.equal(matches({ ...right, severity: 'info' }), false)
  assert.equal(matches({ ...right, severity: 'critical' }), false)
})
