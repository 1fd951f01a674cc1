import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { bytesToText } from '../../../src/login/byte-string.ts'
import { parseLoginReport } from '../../../src/login/parse-report.ts'
import { decodeLoginReport, encodeLoginReport } from '../../../src/login/report-codec.ts'

test('every report comes back as it was, bytes that are not UTF-8 and odd names included', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 20 }),
    fc.uint8Array({ maxLength: 20 }).map(bytesToText),
    fc.constantFrom('__proto__', 'constructor', '\u2028', '"\\'),
  )
  const report = fc.record({
    login: text,
    remote: fc.oneof(fc.ipV4(), fc.ipV6()),
    success: fc.boolean(),
    t: fc.double({ min: -1e9, max: 1e12, noNaN: true }).map((value) => value + 0),
    pwhash: text,
    device_id: text,
    attrs: fc.array(fc.tuple(text, fc.oneof(text, fc.array(text)))).map((pairs) => Object.fromEntries(pairs)),
    device_attrs: fc.array(fc.tuple(text, text)).map((pairs) => Object.fromEntries(pairs)),
  })
  fc.assert(
    fc.property(report, (value) => {
      const parsed = parseLoginReport(value, 0)
      assert.ok(parsed.ok)
      const encoded = encodeLoginReport(parsed.report)
      assert.ok(encoded.isWellFormed())
      assert.deepEqual(decodeLoginReport(encoded), parsed.report)
    }),
    { numRuns: 300 },
  )
})
