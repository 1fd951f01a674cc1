import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { NOWHERE, routePathOf } from '../../../src/http/request-target.ts'

const TARGETS = [
  ['/command/report', '/command/report'],
  ['/command/report?x=1', '/command/report'],
  ['/command/%72eport', '/command/report'],
  ['/?command=report', '/command/report'],
  ['/?x=1&command=report&y', '/command/report'],
  ['/?command=report&command=stats', '/command/report'],
  ['/?command=%72eport', '/command/report'],
  ['/?command=my+hook', '/command/my%20hook'],
  ['/command/my%20hook', '/command/my%20hook'],
  ['/command/m%C3%BCll', '/command/m%C3%BCll'],
  ['/command/a%2Fb', '/command/a%2Fb'],
  ['/command/a/b', '/command/a%2Fb'],
  ['/metrics', '/metrics'],
  ['/metrics?x', '/metrics'],
  ['/openapi.json', '/openapi.json'],
  ['http://example.com/command/stats', '/command/stats'],
  ['HTTP://example.com:8084/?command=stats', '/command/stats'],
  ['http://example.com?command=stats', '/command/stats'],
  ['/', NOWHERE],
  ['/?', NOWHERE],
  ['/?command=', NOWHERE],
  ['/?Command=report', NOWHERE],
  ['/command', NOWHERE],
  ['/command/', NOWHERE],
  ['/command/.', NOWHERE],
  ['/command/..', NOWHERE],
  ['/command/%2e%2e', NOWHERE],
  ['/command/%ff', NOWHERE],
  ['/command/%', NOWHERE],
  [`/command/${'x'.repeat(257)}`, NOWHERE],
  ['//command/report', NOWHERE],
  ['/metrics/', NOWHERE],
  ['/../metrics', NOWHERE],
  ['/nowhere', NOWHERE],
  ['*', NOWHERE],
  ['', NOWHERE],
  ['http://example.com', NOWHERE],
] as const

for (const [target, path] of TARGETS) {
  test(`${JSON.stringify(target.slice(0, 60))} means ${path}`, () => assert.equal(routePathOf(target), path))
}

test('any target gives a path that a router can take as it is', () => {
  const part = fc.constantFrom(
    '/',
    '?',
    'command',
    '=',
    '&',
    '%',
    '%2',
    '%2e',
    '%00',
    '..',
    '#',
    '\u00ff',
    ' ',
    'http://',
  )
  const target = fc.oneof(
    fc.array(part, { maxLength: 12 }).map((parts) => parts.join('')),
    fc.string({ unit: 'binary', maxLength: 40 }),
  )
  fc.assert(
    fc.property(target, (value) => {
      const path = routePathOf(value)
      assert.match(path, /^\/(?:nowhere|metrics|openapi\.json|command\/[^/?#\s]+)$/)
      assert.doesNotThrow(() => decodeURIComponent(path))
    }),
    { numRuns: 1_000 },
  )
})
