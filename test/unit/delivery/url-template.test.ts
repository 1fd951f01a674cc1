import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { expandUrl, urlTemplateProblem } from '../../../src/delivery/url-template.ts'

const NEW_YEAR = Date.UTC(2025, 0, 2, 23, 59, 59, 999)

test('macros give the date in UTC, with leading zeros', () => {
  assert.equal(expandUrl('http://h/%{YYYY}/%{MM}-%{dd}?d=%{dd}', NEW_YEAR), 'http://h/2025/01-02?d=02')
})

test('the date in a URL is the one of ISO 8601, at any time', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: Date.UTC(9999, 11, 31) }), (nowMs) => {
      const [day = ''] = new Date(nowMs).toISOString().split('T')
      assert.equal(expandUrl('%{YYYY}-%{MM}-%{dd}', nowMs), day)
    }),
  )
})

test('a URL without macros stays as it is', () => {
  fc.assert(
    fc.property(fc.webUrl({ withQueryParameters: true, withFragments: true }), (url) => {
      assert.equal(expandUrl(url, NEW_YEAR), url)
    }),
  )
})

for (const url of [
  'http://hooks.example',
  'HTTPS://hooks.example:8443/a/b?c=d',
  'http://user:p%40ss@[::1]:80/%{YYYY}',
  'http://127.0.0.1/index-%{YYYY}.%{MM}.%{dd}/_doc',
]) {
  test(`${url} can be used`, () => {
    assert.equal(urlTemplateProblem(url), undefined)
  })
}

const bad = [
  ['', 'must begin with'],
  ['ftp://host/', 'must begin with'],
  ['javascript:alert(1)', 'must begin with'],
  ['http:host/x', 'must begin with'],
  ['http:///x', 'must begin with'],
  ['http://host /x', 'blank'],
  ['http://host/x\r\nX-Injected: 1', 'blank'],
  ['http://host\\@evil/', 'backslash'],
  ['http://host/%{yyyy}', 'unknown macro %{yyyy}'],
  ['http://host/%{hour', 'unknown macro %{hour'],
  ['http://host-%{YYYY}/x', 'before its path'],
  ['http://host:99999/', 'not a valid URL'],
  ['http://user:%ff@host/', 'percent-encoding'],
] as const

for (const [url, reason] of bad) {
  test(`${JSON.stringify(url)} is refused`, () => {
    const problem = urlTemplateProblem(url)
    assert.ok(problem?.includes(reason), problem)
  })
}
