import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { parseImapClientId, versionNumbers } from '../../../src/enrich/device/imap-client-id.ts'

const cases: Readonly<Record<string, readonly [clientId: string, fields: Readonly<Record<string, string>>]>> =
  {
    'quoted texts': [
      '"name" "Mac OS X Mail" "version" "10.0 (3226)"',
      { name: 'Mac OS X Mail', version: '10.0 (3226)' },
    ],
    'a list in parentheses': [
      '("name" "K-9 Mail" "version" "6.804")',
      { name: 'K-9 Mail', version: '6.804' },
    ],
    'no spaces between': [
      '"name""Thunderbird""version""128.5.0"',
      { name: 'Thunderbird', version: '128.5.0' },
    ],
    'escaped quotes and backslashes': [String.raw`"name" "a \"b\" \\ c"`, { name: String.raw`a "b" \ c` }],
    'names in any letter case': ['"Name" "Mutt" "OS-Version" "1.2"', { name: 'Mutt', 'os-version': '1.2' }],
    'NIL for what is not told': ['"name" NIL "version" nil "os" "NIL"', { os: 'NIL' }],
    'nothing but NIL': ['NIL', {}],
    atoms: ['name fetchmail version 6.4.37', { name: 'fetchmail', version: '6.4.37' }],
    'a literal': ['"name" {6}\r\n("a) b "os" "Linux"', { name: '("a) b', os: 'Linux' }],
    'an empty value': ['"name" "" "os" "Linux"', { name: '', os: 'Linux' }],
    'the first of two fields with one name': ['"name" "first" "name" "second"', { name: 'first' }],
    'a name without a value at the end': ['"name" "Geary" "version"', { name: 'Geary' }],
    'a name whose value is missing': [
      '"name" "Geary" "version" "os" "Linux"',
      { name: 'Geary', os: 'Linux' },
    ],
    'a quote that never ends': [
      '"name" "iPhone Mail" "version" "21C62',
      { name: 'iPhone Mail', version: '21C62' },
    ],
    'fields that nobody knows': [
      '"x-session-ext-id" "abc" "name" "Roundcube"',
      { 'x-session-ext-id': 'abc', name: 'Roundcube' },
    ],
    nothing: ['', {}],
  }

describe('an IMAP client id', () => {
  for (const [what, [clientId, fields]] of Object.entries(cases)) {
    it(`may have ${what}`, () => {
      assert.deepEqual(Object.fromEntries(parseImapClientId(clientId)), fields)
    })
  }

  it('never throws', () => {
    const token = fc.oneof(
      fc.string(),
      fc.constantFrom('"', '\\', '{3}\r\n', '{999999}\r\n', 'NIL', '(', ')', ' ', '"name"'),
    )
    fc.assert(
      fc.property(fc.array(token, { maxLength: 300 }), (tokens) => {
        parseImapClientId(tokens.join(''))
      }),
      { numRuns: 300 },
    )
  })

  it('gives back what a client quoted', () => {
    const key = fc.string({ minLength: 1 }).map((text) => `x-${text}`)
    fc.assert(
      fc.property(fc.dictionary(key, fc.string(), { maxKeys: 20, noNullPrototype: true }), (fields) => {
        const quote = (text: string): string => `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`
        const clientId = Object.entries(fields).map(([name, value]) => `${quote(name)} ${quote(value)}`)
        const parsed = parseImapClientId(clientId.join(' '))
        for (const [name, value] of Object.entries(fields)) {
          const sameName = Object.keys(fields).find((other) => other.toLowerCase() === name.toLowerCase())
          if (sameName === name) assert.equal(parsed.get(name.toLowerCase()), value)
        }
      }),
    )
  })
})

describe('a version text', () => {
  const versions: Readonly<Record<string, readonly [major: string, minor: string]>> = {
    '10.0 (3226)': ['10', '0'],
    '10.12.6': ['10', '12'],
    '128.5.0esr': ['128', '5'],
    '7': ['7', ''],
    '14 (build 2)': ['14', ''],
    'v2.1': ['2', '1'],
    '3-beta': ['3', ''],
    '21C62': ['', ''],
    unknown: ['', ''],
    '': ['', ''],
  }
  for (const [text, [major, minor]] of Object.entries(versions)) {
    it(`${JSON.stringify(text)} is major ${JSON.stringify(major)}, minor ${JSON.stringify(minor)}`, () => {
      assert.deepEqual(versionNumbers(text), { major, minor })
    })
  }
})
