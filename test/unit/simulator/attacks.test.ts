/** Each type of attack is what its name says, in both forms: measured from the reports. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  ATTACK_TYPES,
  type AttackForm,
  type AttackType,
} from '../../../src/simulator/attacks/attack-types.ts'
import { simulate } from '../../../src/simulator/simulate.ts'
import type { SimulatedReport } from '../../../src/simulator/simulated-report.ts'
import { ALL_ATTACKS, DAY, groupBy, optionsWith, simulated, START } from '../../support/simulation.ts'

const HOUR = 3600
const INSTANCES = 6
const reports = simulated({ users: 400, days: 30, attacks: { ...ALL_ATTACKS, instances: INSTANCES } })
const attacks = groupBy(
  reports.filter(({ attack }) => attack !== undefined),
  ({ attack }) => attack ?? '',
)
const honest = groupBy(
  reports.filter(({ label }) => label === undefined),
  ({ login }) => login,
)

interface Seen {
  readonly list: readonly SimulatedReport[]
  readonly first: SimulatedReport
  readonly tries: number
  readonly successes: readonly SimulatedReport[]
  readonly logins: number
  readonly addresses: number
  readonly lasts: number
}

/** All attacks of a type and form. */
function of(type: AttackType, form: AttackForm): readonly Seen[] {
  const seen = [...attacks]
    .filter(
      ([id]) =>
        id.startsWith(`${type}-`) && id.endsWith(`-${form}`) && /^\d+-/.test(id.slice(type.length + 1)),
    )
    .flatMap(([, list]) => {
      const [first] = list
      return first === undefined
        ? []
        : [
            {
              list,
              first,
              tries: list.length,
              successes: list.filter(({ success }) => success),
              logins: new Set(list.map(({ login }) => login)).size,
              addresses: new Set(list.map(({ remote }) => remote)).size,
              lasts: (list.at(-1)?.t ?? 0) - first.t,
            },
          ]
    })
  assert.equal(seen.length, INSTANCES / 2, `${type} ${form}`)
  return seen
}

function check(type: AttackType, form: AttackForm, isRight: (seen: Seen) => boolean): void {
  test(`${type}, ${form}`, () => {
    for (const seen of of(type, form)) {
      const { list: _list, ...shown } = seen
      assert.ok(isRight(seen), JSON.stringify(shown))
    }
  })
}

function before({ login, t }: SimulatedReport): readonly SimulatedReport[] {
  return (honest.get(login) ?? []).filter((report) => report.t < t)
}

/** What the victim has never had before, of a field. */
function isNew(field: 'remote' | 'protocol' | 'device_id', report: SimulatedReport): boolean {
  return before(report).every((known) => known[field] !== report[field])
}

const onOneLogin = ({ logins, successes }: Seen): boolean => logins === 1 && successes.length === 0
describe('one login is tried', () => {
  check(
    'brute-force',
    'easy',
    (seen) => onOneLogin(seen) && seen.addresses === 1 && seen.tries >= 200 && seen.lasts < HOUR,
  )
  check(
    'brute-force',
    'patient',
    (seen) => onOneLogin(seen) && seen.addresses === 1 && seen.tries >= 150 && seen.lasts > 12 * HOUR,
  )
  check(
    'distributed-brute-force',
    'easy',
    (seen) => onOneLogin(seen) && seen.addresses >= 190 && seen.lasts < 2 * HOUR,
  )
  check(
    'distributed-brute-force',
    'patient',
    (seen) => onOneLogin(seen) && seen.addresses >= 950 && seen.lasts > DAY,
  )
})

const onMany = ({ logins, successes }: Seen): boolean => logins >= 100 && successes.length <= 1
function networks({ list }: Seen, bits: 24 | 64): number {
  return new Set(
    list.map(({ remote }) =>
      bits === 24 ? remote.replace(/\.\d+$/, '') : remote.split(':').slice(0, 4).join(':'),
    ),
  ).size
}
describe('many logins are tried', () => {
  check('spray-address', 'easy', (seen) => onMany(seen) && seen.addresses === 1 && seen.lasts < HOUR)
  check('spray-address', 'patient', (seen) => onMany(seen) && seen.addresses === 1 && seen.lasts > 8 * HOUR)
  check('spray-prefix', 'easy', (seen) => onMany(seen) && seen.addresses > 50 && networks(seen, 24) === 1)
  check('spray-prefix', 'patient', (seen) => onMany(seen) && seen.addresses > 100 && networks(seen, 64) === 1)
  check('spray-network', 'easy', (seen) => onMany(seen) && networks(seen, 24) > 50 && seen.lasts < HOUR)
  check(
    'spray-network',
    'patient',
    (seen) => onMany(seen) && networks(seen, 24) > 90 && seen.lasts > 8 * HOUR,
  )
  const isOncePerDay = ({ list }: Seen): boolean =>
    new Set(list.map(({ login, t }) => `${login} ${Math.floor((t - START) / DAY)}`)).size === list.length
  check(
    'spray-patient',
    'easy',
    (seen) => onMany(seen) && isOncePerDay(seen) && seen.addresses <= 40 && seen.lasts > 2 * DAY,
  )
  check(
    'spray-patient',
    'patient',
    (seen) => onMany(seen) && isOncePerDay(seen) && seen.addresses > 250 && seen.lasts > 2 * DAY,
  )
  const isStuffing = ({ list, logins, tries, successes }: Seen): boolean =>
    logins === tries &&
    successes.length >= 1 &&
    successes.length < tries / 10 &&
    list.some(({ fail_type }) => fail_type === 'account')
  check('stuffing', 'easy', (seen) => isStuffing(seen) && seen.addresses === 3 && seen.lasts < 2 * HOUR)
  check('stuffing', 'patient', (seen) => isStuffing(seen) && seen.addresses > 40 && seen.lasts > 8 * HOUR)

  test('and now and then a spray finds a right password', () => {
    const sprays = new Set(
      [...attacks]
        .filter(([id]) => id.startsWith('spray-'))
        .map(([, list]) => list.some(({ success }) => success)),
    )
    assert.ok(sprays.has(true) && sprays.has(false))
  })
})

const isTakeover = ({ logins, tries, successes, list }: Seen): boolean =>
  logins === 1 && tries >= 1 && successes.length === tries && list.every((report) => isNew('remote', report))
/** Or like nothing at all, which is no news over protocols that have no place for it. */
const looksStrange = ({ first }: Seen): boolean =>
  before(first).length > 0 &&
  (isNew('device_id', first) || (first.device_id === '' && first.protocol === 'imap'))
describe('a login is taken over', () => {
  for (const type of ['takeover-abroad', 'takeover-domestic', 'takeover-dormant'] as const) {
    check(
      type,
      'easy',
      (seen) => isTakeover(seen) && looksStrange(seen) && seen.tries >= 3 && seen.lasts < HOUR,
    )
    check(type, 'patient', (seen) => isTakeover(seen) && looksStrange(seen) && seen.lasts > DAY)
  }
  test('takeover-dormant, after ten days of silence', () => {
    for (const { first } of [...of('takeover-dormant', 'easy'), ...of('takeover-dormant', 'patient')]) {
      assert.ok(first.t - (before(first).at(-1)?.t ?? 0) > 10 * DAY)
    }
  })

  test('by a thief whose program and system are those of the victim, in every third case or so', () => {
    const many = simulated({ users: 400, days: 30, seed: 3, attacks: { ...ALL_ATTACKS, instances: 40 } })
    const own = groupBy(
      many.filter(({ label }) => label === undefined),
      ({ login }) => login,
    )
    const firsts = [...groupBy(many, ({ attack }) => attack ?? '')].flatMap(([id, [first]]) =>
      /^takeover-(abroad|domestic|travel|dormant)-/.test(id) && first !== undefined ? [first] : [],
    )
    const programOf = ({ device_id }: SimulatedReport): string => device_id.replaceAll(/[\d.]+/g, '#')
    const silent = firsts.filter(({ device_id }) => device_id === '')
    const lookAlikes = firsts.filter(
      (first) =>
        first.device_id !== '' &&
        own.get(first.login)?.some((report) => programOf(report) === programOf(first)) === true,
    )
    assert.ok(firsts.length > 100, String(firsts.length))
    for (const [list, least, most] of [
      [silent, 0.03, 0.15],
      [lookAlikes, 0.14, 0.35],
    ] as const) {
      const share = list.length / firsts.length
      assert.ok(share > least && share < most, String(share))
    }
    for (const { login, device_id } of lookAlikes)
      assert.ok(
        own.get(login)?.every((report) => report.device_id !== device_id),
        device_id,
      )
  })

  const sinceSeen = ({ first }: Seen): number =>
    first.t - (before(first).findLast(({ success }) => success)?.t ?? 0)
  check(
    'takeover-travel',
    'easy',
    (seen) => isTakeover(seen) && looksStrange(seen) && sinceSeen(seen) <= 50 * 60,
  )
  check(
    'takeover-travel',
    'patient',
    (seen) => isTakeover(seen) && looksStrange(seen) && sinceSeen(seen) <= 3 * HOUR,
  )

  const fallsAtLast = ({ list, successes, logins, tries }: Seen): boolean =>
    logins === 1 && tries > 15 && successes.length === 1 && list.at(-1)?.success === true
  check(
    'takeover-after-failures',
    'easy',
    (seen) => fallsAtLast(seen) && seen.addresses === 1 && seen.lasts < HOUR,
  )
  check(
    'takeover-after-failures',
    'patient',
    (seen) => fallsAtLast(seen) && networks(seen, 24) === 1 && seen.lasts > 3 * HOUR,
  )

  const isFirstPop3 = (seen: Seen): boolean =>
    isTakeover(seen) &&
    seen.list.every(({ protocol }) => protocol === 'pop3') &&
    isNew('protocol', seen.first)
  check('takeover-new-protocol', 'easy', (seen) => isFirstPop3(seen) && seen.lasts < HOUR)
  check('takeover-new-protocol', 'patient', (seen) => isFirstPop3(seen) && seen.lasts > DAY / 2)
})

describe('attacks', () => {
  test('begin after the quiet days', () => {
    for (const [id, list] of attacks) {
      assert.ok(
        list.every(({ t }) => t >= START + 14 * DAY),
        id,
      )
    }
  })

  test('use the password that the victim has at that time, or a wrong one', () => {
    for (const report of reports) {
      if (report.label === undefined || !report.success) continue
      const hashes = (honest.get(report.login) ?? [])
        .filter(({ success }) => success)
        .map(({ pwhash }) => pwhash)
      assert.ok(hashes.includes(report.pwhash), report.attack)
    }
  })

  test('are the same for a type whatever others are chosen', () => {
    const only = simulated({ attacks: { types: ['brute-force'], instances: 2, quietDays: 14 } })
    const all = simulated().filter(({ label }) => label === undefined || label === 'brute-force')
    assert.deepEqual(only, all)
  })

  test('have a victim each, if they are aimed at one', () => {
    const victims = [...attacks.values()]
      .filter((list) => new Set(list.map(({ login }) => login)).size === 1)
      .map(([first]) => first?.login)
    assert.equal(new Set(victims).size, victims.length)
  })

  test('are fewer when too few people fit, and the simulation says how many there are', () => {
    const { attacks: planned } = simulate(optionsWith({ users: 10 }))
    assert.ok(planned.length < ATTACK_TYPES.length * 2)
    const { attacks: all } = simulate(optionsWith({ users: 100 }))
    assert.deepEqual(
      all,
      ATTACK_TYPES.flatMap((type) => [type, type]),
    )
  })

  test('fit into four days after a quiet one', () => {
    const short = simulated({ users: 60, days: 18, attacks: { ...ALL_ATTACKS, quietDays: 14 } })
    const labels = new Set(short.map(({ attack }) => attack))
    labels.delete(undefined)
    assert.equal(labels.size, ATTACK_TYPES.length * 2)
  })
})
