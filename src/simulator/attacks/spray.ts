/**
 * Few passwords for many logins: one password for all (spray), or the pairs of another service's loss (stuffing). About
 * half of the sprays find a right password. Pure.
 */
import { BOTNET_NETWORKS, HOSTING_NETWORKS, HOSTING_NETWORKS6 } from '../address-plan.ts'
import { address6In, addressIn } from '../address.ts'
import { DAY_SECONDS, type Person } from '../person.ts'
import { mix, type Random } from '../random.ts'
import type { SimulatedReport } from '../simulated-report.ts'
import { attackReport, beginOf, scriptProtocol, type Attack, type AttackSetup } from './attack-types.ts'
import { botAddress } from './brute-force.ts'

/** Where the n-th try comes from. */
type Source = (number: number) => string

interface SprayPlan {
  readonly source: Source
  readonly targets: number
  /** Seconds between two tries, from and to. */
  readonly pause: readonly [number, number]
}

/** Easy: everybody within minutes. Patient: one try every few minutes for a day or so. */
export const sprayAddress: Attack = (setup) => {
  const remote = addressIn(setup.random.pick(HOSTING_NETWORKS)[1], setup.random.next())
  const pace = setup.form === 'easy' ? quick(setup) : slow(setup)
  return spray(setup, { source: () => remote, ...pace })
}

/** Each try from another address: easy, of one /24; patient, of one IPv6 /64. */
export const sprayPrefix: Attack = (setup) => {
  const { random, form } = setup
  const line = random.next()
  if (form === 'patient') {
    const [, network] = random.pick(HOSTING_NETWORKS6)
    return spray(setup, { source: (number) => address6In(network, line, mix(line, number)), ...slow(setup) })
  }
  const network = `${addressIn(random.pick(HOSTING_NETWORKS)[1], line).replace(/\d+$/, '0')}/24`
  return spray(setup, { source: (number) => addressIn(network, mix(line, number)), ...quick(setup) })
}

/** Each try from another /24 of one network: easy, rented servers; patient, the lines of one provider far away. */
export const sprayNetwork: Attack = (setup) => {
  const { random, form } = setup
  const seed = random.next()
  const [, network] = random.pick(form === 'easy' ? HOSTING_NETWORKS : BOTNET_NETWORKS)
  const pace = form === 'easy' ? quick(setup) : slow(setup)
  return spray(setup, { source: (number) => addressIn(network, mix(seed, number)), ...pace })
}

/**
 * One try per login and day, for three days or more. Easy: from a few dozen addresses. Patient: hardly an address comes twice.
 */
export const sprayPatient: Attack = function* (setup): Generator<SimulatedReport> {
  const { random, window, form } = setup
  const targets = chooseTargets(setup, random.integer(150, 300))
  const botnet = random.next()
  const bots = form === 'easy' ? 40 : 2000
  const lastDay = Math.floor(window.to / DAY_SECONDS) - 1
  const firstDay = Math.max(
    Math.ceil(window.from / DAY_SECONDS),
    lastDay - random.integer(2, 5) - random.below(5),
  )
  const winner = isLucky(setup) ? random.below(targets.length) : -1
  for (let day = firstDay; day <= lastDay; day++) {
    const guess = random.next()
    const step = DAY_SECONDS / targets.length
    for (const [number, person] of targets.entries()) {
      const at = day * DAY_SECONDS + (number + random.fraction()) * step
      const password = day === lastDay && number === winner ? 'right' : guess
      const remote = botAddress(botnet, random.below(bots))
      yield attackReport(setup, person, {
        at,
        login: person.login,
        remote,
        password,
        ...scriptProtocol(random),
      })
    }
  }
}

/**
 * Pairs of login and password that belonged together elsewhere, half of them of nobody here; one in a hundred fits.
 * Easy: three addresses, within two hours. Patient: sixty, over a day and a half.
 */
export const stuffing: Attack = function* (setup): Generator<SimulatedReport> {
  const { random, form, window } = setup
  const isEasy = form === 'easy'
  const targets = chooseTargets(setup, isEasy ? 200 : 150)
  const winner = random.below(targets.length)
  const botnet = random.next()
  const [least, most] = isEasy ? [2, 30] : [120, 700]
  let at = beginOf(setup, targets.length * (least + most))
  for (const [number, person] of targets.entries()) {
    if (at >= window.to) return
    const remote = isEasy
      ? addressIn(HOSTING_NETWORKS[0][1], mix(botnet, number % 3))
      : botAddress(botnet, random.below(60))
    const how = scriptProtocol(random)
    const isKnown = number === winner || number % 2 === 0
    const login = isKnown
      ? person.login
      : `${person.login.replace(/\d+@.*/, '')}.${random.integer(1950, 2010)}@example.net`
    const isRight = number === winner || (isKnown && random.chance(0.02))
    const password = isRight ? 'right' : undefined
    yield attackReport(setup, isKnown ? person : undefined, { at, login, remote, password, ...how })
    at += random.between(least, most)
  }
}

function* spray(setup: AttackSetup, { source, targets, pause }: SprayPlan): Generator<SimulatedReport> {
  const { random, window } = setup
  const people = chooseTargets(setup, targets)
  const how = scriptProtocol(random)
  const guess = random.next()
  const winner = isLucky(setup) ? Math.floor(people.length * random.between(0.5, 0.95)) : -1
  let at = beginOf(setup, people.length * pause[1])
  for (const [number, person] of people.entries()) {
    if (at >= window.to) return
    const password = number === winner ? 'right' : guess
    yield attackReport(setup, person, { at, login: person.login, remote: source(number), password, ...how })
    at += random.between(...pause)
  }
}

function quick({ random }: AttackSetup): Pick<SprayPlan, 'targets' | 'pause'> {
  return { targets: random.integer(100, 300), pause: [0.5, 5] }
}

function slow({ random }: AttackSetup): Pick<SprayPlan, 'targets' | 'pause'> {
  return { targets: random.integer(120, 200), pause: [180, 540] }
}

/** The attacker does not know who is there; those who have long gone are tried as well. */
function chooseTargets({ site, random }: AttackSetup, count: number): readonly Person[] {
  return random.sample(site.people, count)
}

function isLucky({ random }: { readonly random: Random }): boolean {
  return random.chance(0.5)
}
