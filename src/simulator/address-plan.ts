/**
 * Which public addresses the people and the attackers of a simulation have, by country and kind of network. Pure data.
 *
 * The ranges are parts of real allocations, taken as numbers only: nothing is said about whoever holds them, and nothing
 * is ever sent to them. They were chosen because all of each lies in one country by the database that comes with
 * trackalert, which a test keeps true, so that policies that ask for countries see what was planned.
 */

export type Country =
  | 'DE'
  | 'AT'
  | 'CH'
  | 'NL'
  | 'FR'
  | 'GB'
  | 'ES'
  | 'IT'
  | 'PL'
  | 'US'
  | 'TR'
  | 'GR'
  | 'HR'
  | 'PT'
  | 'TH'
  | 'RU'
  | 'VN'
  | 'CN'
  | 'IN'
  | 'ID'
  | 'NG'
  | 'EG'
  | 'PK'
  | 'RO'
  | 'SE'
  | 'JP'
  | 'CA'

/** A network as CIDR text, and the country in which all of it is. */
export type Network = readonly [Country, string]
type Networks = readonly [Network, ...(readonly Network[])]
type Cidrs = readonly [string, ...(readonly string[])]

export interface CountryPlan {
  /** Summer time is left out: a day has 24 hours everywhere. */
  readonly utcOffsetHours: number
  /** Lines at home, IPv4; the address of a line changes from time to time. */
  readonly homes: Cidrs
  /** The same with IPv6; a line has a /64, a device a new address in it each day. */
  readonly homes6: readonly string[]
  /** Phones: many share an address, and an address does not last an hour. */
  readonly mobile: Cidrs
}

/** Where people of the service live and work. */
export const HOME_PLANS = {
  DE: plan(
    1,
    ['79.192.0.0/13', '91.0.0.0/13', '95.88.0.0/14'],
    ['2003:c0::/27'],
    ['80.187.0.0/16', '109.40.0.0/14'],
  ),
  AT: plan(1, ['77.116.0.0/15', '80.108.0.0/15', '91.112.0.0/15'], ['2a02:8388::/31'], ['178.115.0.0/17']),
  CH: plan(1, ['85.0.0.0/14', '83.76.0.0/15', '178.192.0.0/15'], ['2a02:1200::/27'], ['178.197.0.0/16']),
  NL: plan(1, ['77.160.0.0/13', '82.72.0.0/14', '213.93.0.0/16'], ['2a02:a440::/27'], ['84.241.192.0/18']),
  FR: plan(1, ['90.0.0.0/12', '78.192.0.0/12', '86.192.0.0/13'], ['2a01:cb00::/27'], ['92.184.96.0/19']),
  GB: plan(0, ['86.128.0.0/12', '81.128.0.0/13', '82.0.0.0/13'], ['2a00:23c0::/28'], ['82.132.128.0/17']),
  ES: plan(1, ['88.0.0.0/13', '83.32.0.0/13', '2.136.0.0/14'], ['2a02:9000::/24'], ['176.80.0.0/14']),
  IT: plan(1, ['87.0.0.0/13', '79.0.0.0/13', '2.32.0.0/14'], ['2a0e:400::/27'], ['5.168.0.0/15']),
  PL: plan(1, ['83.0.0.0/13', '79.184.0.0/14', '178.42.0.0/15'], ['2a02:a310::/29'], ['37.47.0.0/16']),
} as const satisfies Partial<Record<Country, CountryPlan>>
export type HomeCountry = keyof typeof HOME_PLANS

/** Out of a hundred people, how many live where; the service is a German one. */
export const HOME_SHARES: readonly (readonly [HomeCountry, number])[] = [
  ['DE', 56], ['AT', 9], ['CH', 7], ['NL', 6], ['FR', 6], ['GB', 5], ['ES', 4], ['IT', 4], ['PL', 3],
] // prettier-ignore

/** Where people travel: guest networks of hotels and flats, and the time there. */
export const DESTINATIONS: readonly [Destination, ...(readonly Destination[])] = [
  { country: 'ES', utcOffsetHours: 1, network: '79.144.0.0/13' },
  { country: 'IT', utcOffsetHours: 1, network: '82.48.0.0/13' },
  { country: 'GR', utcOffsetHours: 2, network: '94.64.0.0/15' },
  { country: 'HR', utcOffsetHours: 1, network: '93.136.0.0/15' },
  { country: 'PT', utcOffsetHours: 0, network: '85.240.0.0/15' },
  { country: 'TR', utcOffsetHours: 3, network: '78.160.0.0/13' },
  { country: 'FR', utcOffsetHours: 1, network: '91.160.0.0/13' },
  { country: 'US', utcOffsetHours: -5, network: '98.192.0.0/12' },
  { country: 'TH', utcOffsetHours: 7, network: '171.96.0.0/14' },
  { country: 'CA', utcOffsetHours: -5, network: '70.24.0.0/14' },
  { country: 'JP', utcOffsetHours: 9, network: '126.0.0.0/13' },
]

export interface Destination {
  readonly country: Country
  readonly utcOffsetHours: number
  readonly network: string
}

/** Ways out of commercial VPNs that people of the service use, each shared by many. */
export const VPN_NETWORKS: Networks = [
  ['SE', '45.83.220.0/22'],
  ['SE', '185.65.135.0/24'],
  ['SE', '193.138.218.0/24'],
  ['NL', '95.211.86.0/24'],
  ['US', '104.131.64.0/24'],
]

/** Servers of a mail app that fetches the mail of its users itself. */
export const CLOUD_CLIENT_NETWORK: Network = ['US', '52.97.128.0/24']

/** The service's own proxy, through which web mail reads mailboxes over IMAP. */
export const GATEWAY_ADDRESS = '217.80.12.34'

/** Fixed addresses of companies, one for each country in which people live. */
export const OFFICE_NETWORKS: Readonly<Record<HomeCountry, string>> = {
  DE: '62.224.0.0/14', AT: '193.80.0.0/16', CH: '62.202.0.0/16', NL: '62.194.0.0/16', FR: '80.12.0.0/16',
  GB: '109.144.0.0/13', ES: '95.120.0.0/15', IT: '151.18.0.0/15', PL: '83.8.0.0/14',
} // prettier-ignore

/** Rented servers, from which attackers like to work. */
export const HOSTING_NETWORKS: Networks = [
  ['DE', '88.198.0.0/16'],
  ['DE', '144.76.0.0/16'],
  ['DE', '5.9.0.0/16'],
  ['US', '104.131.0.0/18'],
  ['US', '45.55.0.0/16'],
  ['GB', '178.62.0.0/17'],
  ['NL', '95.211.0.0/18'],
  ['RU', '77.37.128.0/17'],
]
export const HOSTING_NETWORKS6: Networks = [
  ['DE', '2a01:4f8::/32'],
  ['US', '2604:a880::/32'],
]

/** Lines at home far away, with machines in them that obey somebody else. */
export const BOTNET_NETWORKS: Networks = [
  ['RU', '95.24.0.0/14'],
  ['RU', '178.64.0.0/14'],
  ['VN', '14.160.0.0/13'],
  ['VN', '113.160.0.0/13'],
  ['CN', '114.216.0.0/13'],
  ['CN', '222.128.0.0/13'],
  ['IN', '117.192.0.0/12'],
  ['ID', '36.64.0.0/13'],
  ['ID', '125.160.0.0/13'],
  ['NG', '105.112.0.0/14'],
  ['EG', '41.32.0.0/13'],
  ['EG', '156.192.0.0/13'],
  ['PK', '39.32.0.0/13'],
  ['RO', '86.120.0.0/14'],
  ['TR', '88.224.0.0/13'],
]
/** And near: the same in the countries of the people. */
export const NEAR_BOTNET_NETWORKS: Networks = [
  ['DE', '217.80.64.0/18'],
  ['DE', '84.128.0.0/13'],
  ['DE', '87.128.0.0/13'],
  ['AT', '80.120.0.0/15'],
  ['CH', '188.60.0.0/15'],
  ['FR', '176.128.0.0/12'],
  ['GB', '82.0.0.0/13'],
  ['ES', '83.32.0.0/13'],
]

/** Lines of thieves who live in the country of their victim; none of the people has one of these. */
export const THIEF_NETWORKS: Readonly<Record<HomeCountry, string>> = {
  DE: '178.0.0.0/13', AT: '62.46.0.0/16', CH: '80.218.0.0/16', NL: '31.20.0.0/15', FR: '176.128.0.0/12',
  GB: '86.0.0.0/13', ES: '77.208.0.0/15', IT: '37.176.0.0/14', PL: '94.254.128.0/17',
} // prettier-ignore

/** Lines of thieves in countries where nobody of the service travels. */
export const FAR_NETWORKS: Networks = [
  ['RU', '176.192.0.0/14'], ['VN', '123.16.0.0/14'], ['CN', '222.128.0.0/13'], ['IN', '59.88.0.0/14'], ['ID', '36.64.0.0/13'],
  ['NG', '105.112.0.0/14'], ['NG', '197.210.0.0/16'], ['EG', '156.192.0.0/13'], ['PK', '39.32.0.0/13'],
] // prettier-ignore

function plan(utcOffsetHours: number, homes: Cidrs, homes6: readonly string[], mobile: Cidrs): CountryPlan {
  return { utcOffsetHours, homes, homes6, mobile }
}
