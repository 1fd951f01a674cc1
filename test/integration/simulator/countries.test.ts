/** The plan of addresses against the country database that comes with trackalert. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { bundledCountryDatabasePath } from '../../../src/enrich/geoip/bundled-country-database.ts'
import { loadGeoDatabaseFile } from '../../../src/enrich/geoip/geo-database-file.ts'
import { openGeoDatabase } from '../../../src/enrich/geoip/geo-database.ts'
import * as plan from '../../../src/simulator/address-plan.ts'
import { addressIn } from '../../../src/simulator/address.ts'
import { simulated } from '../../support/simulation.ts'

const path = bundledCountryDatabasePath()
const database = openGeoDatabase('country', path, loadGeoDatabaseFile(path).bytes)

function countryOf(address: string): string {
  return database.lookupCountry(address)
}

const homes = Object.entries(plan.HOME_PLANS).flatMap(([country, { homes: lines, homes6, mobile }]) =>
  [...lines, ...homes6, ...mobile].map((network) => [country, network] as const),
)
const networks = [
  ...homes,
  ...Object.entries(plan.OFFICE_NETWORKS),
  ...Object.entries(plan.THIEF_NETWORKS),
  ...plan.DESTINATIONS.map(({ country, network }) => [country, network] as const),
  ...plan.VPN_NETWORKS,
  ...plan.HOSTING_NETWORKS,
  ...plan.HOSTING_NETWORKS6,
  ...plan.BOTNET_NETWORKS,
  ...plan.NEAR_BOTNET_NETWORKS,
  ...plan.FAR_NETWORKS,
  plan.CLOUD_CLIENT_NETWORK,
  ['DE', `${plan.GATEWAY_ADDRESS}/32`] as const,
]

describe('every address that was planned for a country is there', () => {
  for (const [country, network] of networks) {
    test(`${network}: ${country}`, () => {
      for (let number = 0; number < 1000; number++) {
        const address = addressIn(network, Math.imul(number, 0x9e3779b1))
        assert.equal(countryOf(address), country, address)
      }
    })
  }
})

test('no address of a simulation is outside the plan', () => {
  const planned = new Set(networks.map(([country]) => country))
  for (const { remote } of simulated()) assert.ok(planned.has(countryOf(remote)), remote)
})

/** Where somebody is who has one of these traps depends on more than the trap. */
const ANYWHERE = new Set(['outage', 'forgotten-password', 'stale-password', 'typing-error', 'shared-mailbox'])

test('people are where their traps say, and takeovers where their types say', () => {
  const lived = new Set(Object.keys(plan.HOME_PLANS))
  const far = new Set<string>(plan.FAR_NETWORKS.map(([country]) => country))
  const places: Readonly<Record<string, ReadonlySet<string>>> = {
    vpn: new Set(plan.VPN_NETWORKS.map(([country]) => country)),
    'cloud-client': new Set([plan.CLOUD_CLIENT_NETWORK[0]]),
    travel: new Set(plan.DESTINATIONS.map(({ country }) => country)),
    'takeover-abroad': far,
    'takeover-domestic': lived,
  }
  const seen = new Set<string>()
  for (const { remote, trap, label, attack } of simulated({ users: 300, days: 24 })) {
    const country = countryOf(remote)
    const kind = label ?? trap ?? 'usual'
    seen.add(kind)
    const place = places[kind] ?? (label === undefined && !ANYWHERE.has(kind) ? lived : undefined)
    assert.ok(place?.has(country) ?? true, `${kind} from ${remote}, ${country}`)
    if (kind === 'takeover-dormant') {
      assert.ok((attack?.endsWith('easy') === true ? far : lived).has(country), `${attack} from ${country}`)
    }
  }
  for (const kind of ['usual', 'vpn', 'travel', 'takeover-abroad', 'takeover-domestic', 'takeover-dormant']) {
    assert.ok(seen.has(kind), kind)
  }
})
