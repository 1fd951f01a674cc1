/**
 * Many passwords for one login: from one address, and from a botnet. Pure.
 */
import { BOTNET_NETWORKS, HOSTING_NETWORKS, NEAR_BOTNET_NETWORKS } from '../address-plan.ts'
import { addressIn } from '../address.ts'
import { mix } from '../random.ts'
import type { SimulatedReport } from '../simulated-report.ts'
import { attackReport, beginOf, scriptProtocol, type Attack } from './attack-types.ts'

const HOUR = 3600

/** Easy: hundreds of tries within minutes. Patient: one every four to nine minutes for a day. */
export const bruteForce: Attack = function* (setup): Generator<SimulatedReport> {
  const { random, victim, form, window } = setup
  const remote = addressIn(random.pick(HOSTING_NETWORKS)[1], random.next())
  const how = scriptProtocol(random)
  const tries = form === 'easy' ? random.integer(200, 500) : random.integer(150, 220)
  const [least, most] = form === 'easy' ? [0.5, 4] : [240, 540]
  let at = beginOf(setup, tries * most)
  for (let left = tries; left > 0 && at < window.to; left--) {
    yield attackReport(setup, victim, { at, login: victim.login, remote, password: undefined, ...how })
    at += random.between(least, most)
  }
}

/** Easy: two hundred addresses within an hour. Patient: a thousand addresses with one try each, over two days. */
export const distributedBruteForce: Attack = function* (setup): Generator<SimulatedReport> {
  const { random, victim, form, window } = setup
  const isEasy = form === 'easy'
  const bots = isEasy ? 200 : 1000
  const tries = isEasy ? 600 : 1000
  const [least, most] = isEasy ? [1, 11] : [60, 280]
  const botnet = random.next()
  let at = beginOf(setup, (tries * (least + most)) / 2 + HOUR)
  for (let number = 0; number < tries && at < window.to; number++) {
    const remote = botAddress(botnet, number % bots)
    const how = scriptProtocol(random)
    yield attackReport(setup, victim, { at, login: victim.login, remote, password: undefined, ...how })
    at += random.between(least, most)
  }
}

/** The n-th machine of a botnet; one in three is in a country where the people of the service live. */
export function botAddress(botnet: number, bot: number): string {
  const networks = mix(botnet, bot, 1) % 3 === 0 ? NEAR_BOTNET_NETWORKS : BOTNET_NETWORKS
  const [, network] = networks[mix(botnet, bot, 2) % networks.length] ?? networks[0]
  return addressIn(network, mix(botnet, bot, 3))
}
