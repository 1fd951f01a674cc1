import assert from 'node:assert/strict'
import fc from 'fast-check'
import { describe, test } from 'node:test'
import type { Alert } from '../../../src/alerts/alert.ts'
import { newAlert } from '../../../src/alerts/alert-changes.ts'
import type { LoginReport } from '../../../src/login/login-report.ts'
import { parseLoginReport } from '../../../src/login/parse-report.ts'
import { RaiseLog } from '../../../src/replay/raise-log.ts'
import { judge, type Judgement } from '../../../src/replay/judgement.ts'
import { Traffic } from '../../../src/replay/traffic.ts'
import { raise } from '../../support/alert-fixtures.ts'

const HOUR = 3600
const START = 1_700_000_000

/** A report with what raised on it: keys of alerts, of one rule. */
interface Told {
  readonly t: number
  readonly login: string
  readonly remote: string
  readonly attack?: string
  readonly trap?: string
  readonly raises?: readonly string[]
}

/** A background function that raised an alert. */
interface Alone {
  readonly t: number
  readonly raises: readonly string[]
}

function reportOf({ t, login, remote }: Told): LoginReport {
  const parsed = parseLoginReport({ t, login, remote, success: true }, 0)
  assert.ok(parsed.ok)
  return parsed.report
}

/** One alert for each key, for ever. */
function judged(events: readonly (Told | Alone)[]): Judgement {
  const traffic = new Traffic()
  const evidence = new RaiseLog()
  const alerts = new Map<string, Alert>()
  for (const event of events) {
    const mark =
      'login' in event
        ? traffic.note(reportOf(event), {
            label: event.attack?.replace(/-.*/, ''),
            attack: event.attack,
            trap: event.trap,
          })
        : undefined
    for (const key of event.raises ?? []) {
      const atMs = event.t * 1000
      const alert =
        alerts.get(key) ?? newAlert(alerts.size + 1, raise({ rule: 'rule', key, atMs }), undefined)
      alerts.set(key, alert)
      evidence.note({ alertId: alert.id, rule: 'rule', key, user: '', atMs }, mark)
    }
  }
  return judge([...alerts.values()], evidence, traffic, 10 * 24 * HOUR)
}

const found = (events: readonly (Told | Alone)[]): readonly string[] =>
  judged(events)
    .attacks.filter((result) => result.found === 1)
    .map(({ type }) => type)
const counts = ({ trueAlerts, falseAlerts, undecided }: Judgement): readonly number[] => [
  trueAlerts,
  falseAlerts,
  undecided,
]

const ATTACKER = { login: 'ann', remote: '198.51.100.7', attack: 'spray-1-easy' } as const

describe('an attack is found', () => {
  const ways: readonly (readonly [how: string, key: string])[] = [
    ['its login', 'ann'],
    ['its address', '198.51.100.7'],
    ['a network of its address', '198.51.100.0/24'],
  ]
  for (const [how, key] of ways) {
    test(`by an alert on ${how} that its report raised, however many others raised it too`, () => {
      const honest = { t: START + 1, login: 'ann', remote: '192.0.2.1', raises: [key] }
      const judgement = judged([{ ...ATTACKER, t: START, raises: [key] }, honest, honest])
      assert.deepEqual(
        judgement.attacks.map((result) => [result.type, result.form, result.found, result.medianSeconds]),
        [['spray', 'easy', 1, 0]],
      )
      assert.deepEqual(counts(judgement), [1, 0, 0])
    })
    test(`by an alert on ${how} that a background function raised within an hour`, () => {
      assert.deepEqual(
        found([
          { ...ATTACKER, t: START },
          { t: START + HOUR, raises: [key] },
        ]),
        ['spray'],
      )
      assert.deepEqual(
        found([
          { ...ATTACKER, t: START },
          { t: START + HOUR + 1, raises: [key] },
        ]),
        [],
      )
      assert.deepEqual(
        found([
          { t: START - 1, raises: [key] },
          { ...ATTACKER, t: START },
        ]),
        [],
      )
    })
  }

  test('by an alert that names nothing of it when most of what raised it was its own', () => {
    const honest = { t: START + 1, login: 'bob', remote: '192.0.2.1', raises: ['site'] }
    const attacker = { ...ATTACKER, t: START, raises: ['site'] }
    assert.deepEqual(found([attacker, attacker, honest]), ['spray'])
    assert.deepEqual(found([attacker, honest]), [])
    // What others did at other times is another matter.
    assert.deepEqual(found([attacker, { ...honest, t: START + HOUR + 1 }]), ['spray'])
  })
})

describe('an attack is not found', () => {
  test('by an alert that an honest report of its victim raised meanwhile, which is false', () => {
    const judgement = judged([
      { ...ATTACKER, t: START },
      { t: START + 1, login: 'ann', remote: '192.0.2.1', trap: 'travel', raises: ['ann'] },
    ])
    assert.deepEqual(judgement.attacks[0]?.missed, ['spray-1-easy'])
    assert.deepEqual(counts(judgement), [0, 1, 0])
    assert.deepEqual(judgement.falseByRule, [{ rule: 'rule', alerts: 1, byTrap: new Map([['travel', 1]]) }])
  })

  test('by an alert of another attack on the same login', () => {
    const other = { login: 'ann', remote: '203.0.113.9', attack: 'brute-1-easy' }
    assert.deepEqual(
      found([
        { ...ATTACKER, t: START },
        { ...other, t: START + 1, raises: ['ann'] },
      ]),
      ['brute'],
    )
  })

  test('by an alert of the whole site that no report raised: whether it is about it cannot be told', () => {
    const judgement = judged([
      { ...ATTACKER, t: START },
      { t: START + 1, raises: ['site'] },
    ])
    assert.deepEqual(counts(judgement), [0, 0, 1])
    assert.deepEqual(
      counts(
        judged([
          { ...ATTACKER, t: START },
          { t: START + 2 * HOUR, raises: ['site'] },
        ]),
      ),
      [0, 1, 0],
    )
  })
})

test('false alerts are counted for a thousand users and a day', () => {
  const users = Array.from({ length: 500 }, (_, index) => ({
    t: START,
    login: `user${index}`,
    remote: '192.0.2.1',
    ...(index < 40 ? { raises: [`user${index}`] } : {}),
  }))
  const judgement = judged([...users, { ...ATTACKER, t: START }])
  assert.deepEqual([judgement.users, judgement.days, judgement.falseAlerts], [500, 10, 40])
  assert.equal(judgement.falsePerThousandUsersAndDay, 8)
})

test('all figures are those of a naive count', () => {
  const event = fc.record(
    {
      t: fc.integer({ min: START, max: START + 4 * HOUR }),
      login: fc.constantFrom('ann', 'bob', 'eve'),
      remote: fc.constantFrom('192.0.2.1', '198.51.100.7'),
      attack: fc.constantFrom('spray-1-easy', 'spray-2-patient', 'brute-1-easy'),
      raises: fc.uniqueArray(fc.constantFrom('ann', 'bob', '192.0.2.1', '198.51.100.0/24', 'site'), {
        maxLength: 2,
      }),
    },
    { requiredKeys: ['t', 'login', 'remote', 'raises'] },
  )
  const alone = fc.record({
    t: fc.integer({ min: START, max: START + 6 * HOUR }),
    raises: fc.uniqueArray(fc.constantFrom('ann', '192.0.2.1', 'site'), { maxLength: 1 }),
  })
  fc.assert(
    fc.property(
      fc.array(fc.oneof({ weight: 4, arbitrary: event }, { weight: 1, arbitrary: alone })),
      (drawn) => {
        const events: readonly (Told | Alone)[] = drawn.toSorted((a, b) => a.t - b.t)
        const judgement = judged(events)
        const naive = naively(events)
        assert.deepEqual(new Set(judgement.attacks.flatMap(({ missed }) => missed)), naive.missed)
        assert.deepEqual(counts(judgement), naive.counts)
      },
    ),
    { numRuns: 300 },
  )
})

/** The definitions word by word, alert by alert and attack by attack. */
function naively(events: readonly (Told | Alone)[]) {
  const isReport = (event: Told | Alone): event is Told => 'login' in event
  const reports = events.filter(isReport)
  const attacks = [...new Set(reports.flatMap(({ attack }) => attack ?? []))]
  const keys = [...new Set(events.flatMap((event) => event.raises ?? []))]
  const foundIds = new Set<string>()
  const verdicts = keys.map((key) => {
    const raisers = events.filter((event) => event.raises?.includes(key) === true)
    const reporters = raisers.filter(isReport)
    const names = ({ login, remote }: Told): boolean =>
      key === login || key === remote || (key === '198.51.100.0/24' && remote === '198.51.100.7')
    let isDuringAny = false
    let finds = false
    for (const id of attacks) {
      const own = reports.filter(({ attack }) => attack === id)
      const times = own.map(({ t }) => t)
      const background = raisers.filter(
        (event) => !isReport(event) && event.t >= Math.min(...times) && event.t <= Math.max(...times) + HOUR,
      )
      const meanwhile = reporters.filter(({ t }) => t >= Math.min(...times) && t <= Math.max(...times) + HOUR)
      const ownRaisers = reporters.filter(({ attack }) => attack === id)
      if (background.length > 0) isDuringAny = true
      const isFound =
        ownRaisers.some(names) ||
        ownRaisers.length > meanwhile.length - ownRaisers.length ||
        (background.length > 0 && own.some(names))
      if (!isFound) continue
      finds = true
      foundIds.add(id)
    }
    if (finds || reporters.some(({ attack }) => attack !== undefined)) return 0
    return reporters.length === 0 && isDuringAny ? 2 : 1
  })
  const count = (verdict: number): number => verdicts.filter((one) => one === verdict).length
  return {
    missed: new Set(attacks.filter((id) => !foundIds.has(id))),
    counts: [count(0), count(1), count(2)],
  }
}
