import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { createDeviceParser } from '../../../src/enrich/device/device-parser.ts'
import { loadDeviceRules } from '../../../src/enrich/device/device-rules.ts'

/** Generous: a parse of the worst input found takes 5 ms on an idle machine. */
const DEADLINE_MS = 500
const PROTOCOLS = ['http', 'imap', 'mobileapi'] as const

/** What the rules look for, and what the parsers take apart. */
const PIECES = [
  'Mozilla/5.0 (',
  'Linux; ',
  'Android 4',
  '; ',
  ' Build/',
  'AppleWebKit',
  'iPhone',
  'bot',
  'Version/1.',
  '1.',
  '/',
  'CFNetwork/',
  ' Darwin/',
  'Windows NT ',
  'Opera Mini',
  'LG-',
  'SAMSUNG',
  ' ',
  '.',
  '"name" ',
  '"',
  '\\',
  '{9}\r\n',
  'OS: ',
  'device: ',
  '(',
  ')',
  '-',
  '_',
  '0',
  'a',
  'Chrome/',
  'Safari/',
  'spider',
  'http://',
  'Mobile',
  '\udc80',
]

const ownRulesFile = fileURLToPath(new URL('../../../regexes.yaml', import.meta.url))
const devices = createDeviceParser(loadDeviceRules({ ownRulesFile }))

function parseInTime(deviceId: string): void {
  for (const protocol of PROTOCOLS) {
    const startedMs = performance.now()
    const attributes = devices.parse(deviceId, protocol)
    const tookMs = performance.now() - startedMs
    assert.ok(
      tookMs < DEADLINE_MS,
      `${protocol} took ${tookMs} ms for ${JSON.stringify(deviceId.slice(0, 100))}`,
    )
    for (const value of Object.values(attributes)) assert.equal(typeof value, 'string')
  }
}

describe('a device_id made to do harm', () => {
  it('is parsed in time, whatever it is', () => {
    const anyText = fc.string({ unit: 'binary', maxLength: 20_000, size: 'max' })
    fc.assert(fc.property(anyText, parseInTime), { numRuns: 40 })
  })

  it('is parsed in time when it is pieced together from what the rules look for', () => {
    const piece = fc.constantFrom(...PIECES)
    const text = fc.array(piece, { maxLength: 3000, size: 'max' }).map((pieces) => pieces.join(''))
    fc.assert(fc.property(text, parseInTime), { numRuns: 60 })
  })

  it('is parsed in time when it repeats one piece', () => {
    const piece = fc.oneof(
      fc.string({ minLength: 1, maxLength: 5 }),
      fc.constantFrom('; ', '1.', 'a/1', '.', '"\\', 'iPhone ', 'Build/'),
    )
    fc.assert(
      fc.property(piece, fc.string({ maxLength: 10 }), (repeated, end) =>
        parseInTime(repeated.repeat(4000) + end),
      ),
      { numRuns: 60 },
    )
  })
})
