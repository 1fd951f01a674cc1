/** Each trap really is in the traffic: measured from the reports, as a policy would see them. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { CLOUD_CLIENT_NETWORK, GATEWAY_ADDRESS } from '../../../src/simulator/address-plan.ts'
import { TRAPS, type SimulatedReport, type Trap } from '../../../src/simulator/simulated-report.ts'
import { DAY, groupBy, NO_ATTACKS, simulated, START } from '../../support/simulation.ts'

const USERS = 1000
const reports = simulated({ users: USERS, days: 30, attacks: NO_ATTACKS })
const byTrap = groupBy(reports, ({ trap }) => trap ?? 'none')
const byLogin = groupBy(reports, ({ login }) => login)
const byRemote = groupBy(reports, ({ remote }) => remote)

function of(trap: Trap): readonly SimulatedReport[] {
  return byTrap.get(trap) ?? []
}

function loginsOf(list: readonly SimulatedReport[]): ReadonlySet<string> {
  return new Set(list.map(({ login }) => login))
}

function dayOf({ t }: SimulatedReport): number {
  return Math.floor((t - START) / DAY)
}

describe('honest traffic', () => {
  for (const trap of TRAPS) {
    test(`has the trap ${trap}`, () => assert.ok(of(trap).length > 0))
  }

  test('is that of as many people as asked for, most of whom are seen on most days', () => {
    const people = [...byLogin.keys()].filter((login) => !login.startsWith('office'))
    assert.equal(people.length, USERS)
    const days = people.map((login) => new Set((byLogin.get(login) ?? []).map(dayOf)).size)
    assert.ok(days.filter((count) => count > 20).length > USERS * 0.8)
  })

  test('almost always succeeds', () => {
    const failed = reports.filter(({ success }) => !success)
    assert.ok(failed.length / reports.length < 0.1)
    const otherwise = failed.filter(({ trap }) => trap !== 'stale-password')
    assert.ok(otherwise.length / reports.length < 0.02)
  })

  test('has a week: less on free days, and nights: less in the small hours', () => {
    const count = (isWanted: (report: SimulatedReport) => boolean): number => reports.filter(isWanted).length
    const perFreeDay = count((report) => dayOf(report) % 7 >= 5) / 8
    const perWorkDay = count((report) => dayOf(report) % 7 < 5) / 22
    assert.ok(perFreeDay < 0.85 * perWorkDay)
    const hour = ({ t }: SimulatedReport): number => Math.floor((t % DAY) / 3600)
    assert.ok(count((report) => hour(report) === 2) < 0.2 * count((report) => hour(report) === 10))
  })

  test('has people who are away for some days', () => {
    const gaps = [...byLogin.values()].filter((list) =>
      list.some((report, number) => number > 0 && report.t - (list[number - 1]?.t ?? 0) > 3 * DAY),
    )
    assert.ok(gaps.length > USERS * 0.1)
  })
})

describe('places', () => {
  test('phones get a new address all the time, and one address is that of many people', () => {
    const mobile = of('mobile-network')
    const perPhone = [...groupBy(mobile, ({ login }) => login).values()].map(
      (list) => new Set(list.map(({ remote }) => remote)).size,
    )
    assert.ok(perPhone.filter((count) => count >= 20).length > USERS * 0.5)
    const shared = [...groupBy(mobile, ({ remote }) => remote).values()].filter(
      (list) => loginsOf(list).size >= 10,
    )
    assert.ok(shared.length > 100)
  })

  test('hundreds of people log in from the address of one office', () => {
    const largest = Math.max(
      ...[...groupBy(of('shared-office'), ({ remote }) => remote).values()].map(
        (list) => loginsOf(list).size,
      ),
    )
    assert.ok(largest >= 150, String(largest))
  })

  test('the gateway carries most people, the cloud client some', () => {
    assert.ok(loginsOf(byRemote.get(GATEWAY_ADDRESS) ?? []).size > USERS * 0.8)
    const [, network] = CLOUD_CLIENT_NETWORK
    const cloud = reports.filter(({ remote }) => remote.startsWith(network.replace('0/24', '')))
    assert.ok(loginsOf(cloud).size > USERS * 0.02 && loginsOf(cloud).size < USERS * 0.1)
  })

  test('somebody with a VPN is seen at home and in another country within the hour', () => {
    const both = [...loginsOf(of('vpn'))].filter((login) => {
      const list = byLogin.get(login) ?? []
      return list.some(
        (report, number) =>
          report.trap === 'vpn' &&
          [list[number - 1], list[number + 1]].some(
            (other) =>
              other !== undefined &&
              other.trap !== 'vpn' &&
              other.trap !== 'gateway' &&
              Math.abs(other.t - report.t) < 3600,
          ),
      )
    })
    assert.ok(both.length > 10)
  })

  test('who travels needs half a day for it', () => {
    assert.ok(loginsOf(of('travel')).size > 20)
    const atHome = new Set(['none', 'shared-office', 'night-worker'])
    for (const login of loginsOf(of('travel'))) {
      // A phone's carrier, the gateway and the like say nothing about where somebody is.
      const placed = (byLogin.get(login) ?? []).filter(
        ({ trap = 'none', protocol }) => protocol !== 'smtp' && (trap === 'travel' || atHome.has(trap)),
      )
      for (const [number, { t, trap }] of placed.entries()) {
        const before = placed[number - 1]
        if (before === undefined || (before.trap === 'travel') === (trap === 'travel')) continue
        assert.ok(t - before.t > 12 * 3600, `${login} after ${(t - before.t) / 3600} hours`)
      }
    }
  })

  test('who visits somebody is on another line in the own country', () => {
    const visits = groupBy(of('visit'), ({ login }) => login)
    assert.ok(visits.size > USERS * 0.05)
    for (const [login, list] of visits) {
      const before = (byLogin.get(login) ?? []).filter(({ t }) => t < (list[0]?.t ?? 0) - DAY)
      assert.ok(
        list.every(({ remote }) => before.every((report) => report.remote !== remote)),
        login,
      )
    }
  })

  test('a computer that was left on reads mail at home while its owner is away', () => {
    const away = groupBy([...of('travel'), ...of('visit')], ({ login }) => login)
    const leftOn = groupBy(of('left-on'), ({ login }) => login)
    assert.ok(leftOn.size > USERS * 0.01)
    const both = [...leftOn].filter(([login, list]) => {
      const trip = away.get(login) ?? []
      return list.some(({ t }) => t > (trip[0]?.t ?? Infinity) && t < (trip.at(-1)?.t ?? 0))
    })
    assert.ok(both.length > leftOn.size * 0.5)
  })

  test('a shared mailbox has several people at several addresses on one day', () => {
    const mailboxes = groupBy(of('shared-mailbox'), ({ login }) => login)
    assert.ok(mailboxes.size > 15)
    const busy = [...mailboxes.values()].filter((list) =>
      [...groupBy(list, (report) => String(dayOf(report))).values()].some(
        (day) => new Set(day.map(({ remote }) => remote)).size >= 2,
      ),
    )
    assert.ok(busy.length > 10)
  })

  test('commuters work in another country and live in their own', () => {
    const commuters = loginsOf(of('commuter'))
    assert.ok(commuters.size > 5 && commuters.size < USERS * 0.05)
    for (const login of commuters) {
      assert.ok(new Set((byLogin.get(login) ?? []).map(({ remote }) => remote)).size > 1)
    }
  })
})

describe('habits', () => {
  test('night workers log in while others sleep', () => {
    const workers = loginsOf(of('night-worker'))
    assert.ok(workers.size > USERS * 0.02 && workers.size < USERS * 0.07)
    const atNight = of('night-worker').filter(({ t }) => t % DAY < 5 * 3600)
    assert.ok(atNight.length / of('night-worker').length > 0.15)
  })

  test('dormant people come back after ten days and more', () => {
    const returned = of('dormant-return')
    assert.ok(loginsOf(returned).size > 10)
    for (const report of returned) {
      const before = (byLogin.get(report.login) ?? []).findLast((other) => dayOf(other) < dayOf(report))
      const gap = report.t - (before?.t ?? START)
      assert.ok(gap > 9 * DAY, `${report.login} after ${gap / DAY} days`)
    }
  })

  test('a new device has not been seen before', () => {
    const bought = of('new-device').filter(({ device_id }) => device_id !== '')
    assert.ok(loginsOf(bought).size > 30)
    const seen = bought.filter(({ login, device_id, t }) =>
      byLogin.get(login)?.some((other) => other.device_id === device_id && t - other.t > DAY),
    )
    // The same program in the same version once more is possible, and not frequent.
    assert.ok(seen.length < bought.length * 0.25)
  })
})

test('programs are updated now and then, most of them to the newest version', () => {
  const perDevice = groupBy(
    reports.filter(
      ({ device_id, protocol, trap }) => protocol === 'https' && device_id !== '' && trap === undefined,
    ),
    ({ login, device_id }) => `${login} ${device_id.replaceAll(/[\d.]+/g, '#')}`,
  )
  const versions = [...perDevice.values()].map((list) => list.map(({ device_id }) => device_id))
  const updated = versions.filter((list) => new Set(list).size > 1)
  assert.ok(updated.length > versions.length * 0.5 && updated.length < versions.length)
  // None goes back to an older one; few people have two devices with one program.
  const forth = updated.filter((list) => list.lastIndexOf(list[0] ?? '') < list.indexOf(list.at(-1) ?? ''))
  assert.ok(forth.length > updated.length * 0.9, `${forth.length} of ${updated.length}`)
})

describe('passwords', () => {
  test('a typing error is one wrong try and then the right one', () => {
    for (const error of of('typing-error').slice(0, 300)) {
      assert.equal(error.success, false)
      const after = (byLogin.get(error.login) ?? []).find(
        ({ t, protocol, trap }) => t > error.t && protocol === 'https' && trap !== 'typing-error',
      )
      assert.ok(after !== undefined && (after.trap === 'outage' || after.t - error.t < 31))
      assert.ok(after.success || after.trap === 'outage')
    }
  })

  test('who has forgotten it tries several and then gets in', () => {
    const people = groupBy(of('forgotten-password'), ({ login }) => login)
    assert.ok(people.size > 50)
    const success = [...people.values()].filter((list) => list.at(-1)?.success === true)
    assert.ok(success.length > people.size * 0.9)
    for (const list of people.values()) {
      const wrong = list.filter((report) => !report.success)
      assert.ok(wrong.length >= 1 && wrong.length <= 6)
      assert.ok(new Set(wrong.map(({ pwhash }) => pwhash)).size >= Math.min(2, wrong.length))
    }
  })

  test('a client with an old password tries that one every few minutes for a day and more, from known places', () => {
    const stale = groupBy(of('stale-password'), ({ login }) => login)
    assert.ok(stale.size > 30)
    for (const [login, list] of stale) {
      assert.equal(new Set(list.map(({ pwhash }) => pwhash)).size, 1, login)
      // It may be updated meanwhile.
      assert.ok(new Set(list.map(({ device_id }) => device_id)).size <= 2)
      assert.ok(list.every(({ success }) => !success))
    }
    const long = [...stale.values()].filter((list) => (list.at(-1)?.t ?? 0) - (list[0]?.t ?? 0) > DAY)
    assert.ok(long.length > 20)
    const [login, list] = [...stale].toSorted((one, other) => other[1].length - one[1].length)[0] ?? ['', []]
    assert.ok(list.length > 200)
    const right = (byLogin.get(login) ?? []).filter(({ t, success }) => success && t > (list[0]?.t ?? 0))
    assert.ok(right.length > 0 && right.every(({ pwhash }) => pwhash !== list[0]?.pwhash))
  })

  test('in an outage nobody gets in for ten minutes, for both reasons', () => {
    const outage = of('outage')
    assert.deepEqual(new Set(outage.map(({ fail_type }) => fail_type)), new Set(['internal', 'credentials']))
    const spans = groupBy(outage, ({ fail_type }) => fail_type ?? '')
    for (const list of spans.values()) {
      const [from, to] = [list[0]?.t ?? 0, list.at(-1)?.t ?? 0]
      assert.ok(to - from > 300 && to - from < 600)
      assert.ok(loginsOf(list).size > 20)
      assert.ok(reports.every(({ t, success }) => t < from || t > to || !success))
    }
  })
})
