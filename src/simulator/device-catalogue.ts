/**
 * What devices call themselves: user agents, IMAP client ids, mobile apps. Pure.
 */
import type { Random } from './random.ts'

export const DEVICE_KINDS = ['phone', 'desktop', 'browser', 'pop3', 'cloud-client'] as const
export type DeviceKind = (typeof DEVICE_KINDS)[number]

export interface Device {
  readonly kind: DeviceKind
  /** Of reading mail. Those that send do so over smtp. */
  readonly protocol: 'imap' | 'pop3' | 'https' | 'mobileapi'
  readonly deviceId: string
  /** Family of the program, and where it runs: two devices with the same look the same to a policy. */
  readonly family: string
  /** First day on which it is used. */
  readonly fromDay: number
  /** Old clients speak without TLS. */
  readonly tls: boolean
}

type Make = (random: Random) => Omit<Device, 'fromDay' | 'kind' | 'tls'>

const BROWSERS: readonly [Make, ...(readonly Make[])] = [
  (random) =>
    browser(
      'Chrome/Windows',
      `(Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${random.integer(120, 139)}.0.0.0 Safari/537.36`,
    ),
  (random) =>
    browser(
      'Chrome/Mac OS X',
      `(Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${random.integer(120, 139)}.0.0.0 Safari/537.36`,
    ),
  (random) => firefox('Firefox/Windows', 'Windows NT 10.0; Win64; x64', random.integer(115, 141)),
  (random) => firefox('Firefox/Linux', 'X11; Linux x86_64', random.integer(115, 141)),
  (random) =>
    browser(
      'Safari/Mac OS X',
      `(Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/${random.integer(16, 18)}.${random.below(5)} Safari/605.1.15`,
    ),
  (random) =>
    browser(
      'Edge/Windows',
      `(Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${random.integer(120, 139)}.0.0.0 Safari/537.36 Edg/${random.integer(120, 139)}.0.0.0`,
    ),
]

const DESKTOPS: readonly [Make, ...(readonly Make[])] = [
  (random) =>
    imapClient('Thunderbird', [
      'name',
      'Thunderbird',
      'version',
      `${random.integer(102, 140)}.${random.below(9)}.0`,
    ]),
  (random) =>
    imapClient('Mac OS X Mail', [
      'name',
      'Mac OS X Mail',
      'version',
      `16.0 (3826.${random.integer(200, 700)}.1)`,
      'os',
      'Mac OS X',
      'os-version',
      `15.${random.below(6)} (24A335)`,
      'vendor',
      'Apple Inc.',
    ]),
  (random) =>
    imapClient('Microsoft Outlook', [
      'name',
      'Microsoft Outlook',
      'version',
      `16.0.${random.integer(14_000, 18_000)}.0`,
    ]),
  (random) =>
    imapClient('eM Client', [
      'name',
      'eM Client',
      'version',
      `10.${random.below(4)}.${random.integer(100, 999)}`,
    ]),
]

const PHONES: readonly [Make, ...(readonly Make[])] = [
  (random) =>
    imapClient('iPhone Mail', [
      'name',
      'iPhone Mail',
      'version',
      `22${'ABCDEFG'[random.below(7)] ?? 'A'}${random.integer(100, 399)}`,
      'os',
      'iOS',
      'os-version',
      `18.${random.below(6)} (22A33)`,
    ]),
  (random) =>
    imapClient('K-9 Mail', ['name', 'K-9 Mail', 'version', `${random.integer(6, 9)}.${random.below(9)}`]),
  (random) => ({
    protocol: 'mobileapi',
    family: 'Mail/iOS',
    deviceId: `OpenXchange.iOS.Mail/${random.integer(2, 3)}.${random.below(9)}.${random.below(9)} (OS: ${random.integer(16, 18)}.${random.below(6)}; device: iPhone ${random.integer(11, 16)})`,
  }),
  (random) => ({
    protocol: 'mobileapi',
    family: 'Mail/Android',
    deviceId: `OpenXchange.Android.Mail/${random.integer(2, 3)}.${random.below(9)}.${random.below(9)} (OS: ${random.integer(12, 15)}; device: Pixel ${random.integer(6, 9)})`,
  }),
]

const POP3: readonly [Make, ...(readonly Make[])] = [() => ({ protocol: 'pop3', deviceId: '', family: '' })]
const CLOUD: readonly [Make, ...(readonly Make[])] = [
  () => imapClient('Cloud Mail', ['name', 'Cloud Mail', 'vendor', 'Example Cloud Mail', 'version', '4.2']),
]

const MAKERS: Readonly<Record<DeviceKind, readonly [Make, ...(readonly Make[])]>> = {
  phone: PHONES, desktop: DESKTOPS, browser: BROWSERS, pop3: POP3, 'cloud-client': CLOUD,
} // prettier-ignore

/** Share of the POP3 clients that still speak without TLS. */
const WITHOUT_TLS = 0.3

export function makeDevice(kind: DeviceKind, fromDay: number, random: Random): Device {
  const made = random.pick(MAKERS[kind])(random)
  return { ...made, kind, fromDay, tls: kind !== 'pop3' || !random.chance(WITHOUT_TLS) }
}

/** A device of a kind that looks like none of these: the best that a thief who does not know them can hope for. */
export function makeStrangeDevice(
  kind: 'desktop' | 'browser',
  known: readonly Device[],
  random: Random,
): Device {
  const families = new Set(known.map(({ family }) => family))
  let device = makeDevice(kind, 0, random)
  // Nobody has all of them; the bound is for the reader's peace.
  for (let round = 0; families.has(device.family) && round < 100; round++)
    device = makeDevice(kind, 0, random)
  return device
}

function browser(family: string, rest: string): ReturnType<Make> {
  return { protocol: 'https', family, deviceId: `Mozilla/5.0 ${rest}` }
}

function firefox(family: string, system: string, version: number): ReturnType<Make> {
  return browser(family, `(${system}; rv:${version}.0) Gecko/20100101 Firefox/${version}.0`)
}

function imapClient(family: string, pairs: readonly string[]): ReturnType<Make> {
  return { protocol: 'imap', family, deviceId: pairs.map((text) => `"${text}"`).join(' ') }
}
