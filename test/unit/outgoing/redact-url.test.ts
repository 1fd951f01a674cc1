import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { redactUrl } from '../../../src/outgoing/redact-url.ts'

const cases = [
  ['http://hooks.example/a?b=c@d', 'http://hooks.example/a?b=c@d'],
  ['https://user:pass@hooks.example/%{YYYY}', 'https://***@hooks.example/%{YYYY}'],
  ['https://user@hooks.example:8443/', 'https://***@hooks.example:8443/'],
  ['https://u:p@ss@hooks.example/x@y', 'https://***@hooks.example/x@y'],
  ['http://user:pass@host:notaport/x', '***@host:notaport/x'],
  ['http:/user:pass@hooks.example/x', 'http://***@hooks.example/x'],
  ['user:pass@hooks.example', '***@hooks.example'],
  ['', ''],
] as const

for (const [url, shown] of cases) {
  test(`${JSON.stringify(url)} is shown as ${JSON.stringify(shown)}`, () => {
    assert.equal(redactUrl(url), shown)
  })
}

test('a password never shows, whatever it is made of', () => {
  const scheme = fc.constantFrom('http://', 'https://', 'HTTP://', 'http:/', 'http:', 'http:\\\\', '//', '')
  const rest = fc.constantFrom('host/path', 'host:99999/path', 'host', '[::1]/?q', 'ho st/x', '')
  fc.assert(
    fc.property(scheme, fc.string({ unit: 'binary', minLength: 1 }), rest, (start, noise, end) => {
      const password = `SECRET${encodeURIComponent(noise.toWellFormed())}SECRET`
      const shown = redactUrl(`${start}user:${password}@${end}`)
      return !shown.includes('SECRET')
    }),
  )
})
