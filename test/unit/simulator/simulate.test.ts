import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { parseLoginReport } from '../../../src/login/parse-report.ts'
import type { SimulatedReport } from '../../../src/simulator/simulated-report.ts'
import { ALL_ATTACKS, DAY, NO_ATTACKS, simulated, START } from '../../support/simulation.ts'

const reports = simulated()

function linesOf(list: readonly SimulatedReport[]): readonly string[] {
  return list.map((report) => JSON.stringify(report))
}

describe('a simulation', () => {
  test('is the same for the same options, byte for byte', () => {
    assert.deepEqual(linesOf(simulated()), linesOf(reports))
  })

  test('has these bytes on every machine', () => {
    // When the story was changed on purpose, this changes with it.
    const digest = createHash('sha256').update(linesOf(reports).join('\n')).digest('hex')
    assert.equal(digest, '90acb5cf8d0814812e63b4756ce0a2ab136b6f22f653870719818c890a416c38')
  })

  test('is another for another seed', () => {
    const other = new Set(linesOf(simulated({ seed: 8 })))
    assert.equal(linesOf(reports).filter((line) => other.has(line)).length, 0)
  })

  test('has the same honest reports whatever the attacks', () => {
    const honest = linesOf(reports.filter(({ label }) => label === undefined))
    assert.deepEqual(linesOf(simulated({ attacks: NO_ATTACKS })), honest)
    assert.ok(honest.length < reports.length)
  })

  test('is in the order of time and within its days, at any size', () => {
    fc.assert(
      fc.property(
        fc.record({
          seed: fc.nat(),
          users: fc.integer({ min: 1, max: 15 }),
          days: fc.integer({ min: 5, max: 20 }),
          rate: fc.constantFrom(0.1, 1, 5),
        }),
        ({ seed, users, days, rate }) => {
          let last = START
          for (const { t } of simulated({
            seed,
            users,
            days,
            rate,
            attacks: { ...ALL_ATTACKS, quietDays: 1 },
          })) {
            assert.ok(t >= last, `${t} after ${last}`)
            last = t
          }
          assert.ok(last < START + days * DAY)
        },
      ),
      { numRuns: 6 },
    )
  })

  test('is nothing but reports that the server takes', () => {
    for (const report of reports) {
      const wire: unknown = JSON.parse(JSON.stringify(report))
      const parsed = parseLoginReport(wire, 0)
      assert.ok(parsed.ok, JSON.stringify(parsed))
      for (const field of ['t', 'login', 'success', 'pwhash', 'protocol', 'tls', 'device_id'] as const) {
        assert.equal(parsed.report[field], report[field], field)
      }
      assert.deepEqual({ ...parsed.report.attrs }, report.attrs)
      assert.equal(parsed.report.remote_port, 0)
      assert.match(report.pwhash, /^0[0-9a-f]{3}$/)
      assert.match(report.protocol, /^(imap|pop3|smtp|https|mobileapi)$/)
      assert.equal(report.fail_type === undefined, report.success)
      assert.equal(Math.round(report.t * 1000) / 1000, report.t)
    }
  })

  test('labels attacks and nothing else; a report has a trap or a label or neither', () => {
    for (const { label, attack, trap } of reports) {
      assert.equal(label === undefined, attack === undefined)
      assert.ok(label === undefined || trap === undefined)
      if (label !== undefined) assert.match(attack ?? '', new RegExp(`^${label}-\\d+-(easy|patient)$`))
    }
  })

  test('grows with the rate and with the people, not with anything else', () => {
    const count = (changes: Parameters<typeof simulated>[0]): number =>
      simulated({ attacks: NO_ATTACKS, days: 10, ...changes }).length
    const usual = count({})
    assert.ok(Math.abs(count({ rate: 2 }) / usual - 2) < 0.5)
    assert.ok(Math.abs(count({ users: 120 }) / usual - 2) < 0.5)
    // About a dozen reports per person and day.
    assert.ok(usual / 60 / 10 > 5 && usual / 60 / 10 < 25, String(usual))
  })
})
