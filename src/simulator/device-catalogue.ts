/**
 * What devices call themselves: user agents, IMAP client ids, mobile apps, in the releases that they have on a day. Pure.
 */
import type { Random } from './random.ts'

export const DEVICE_KINDS = ['phone', 'desktop', 'browser', 'pop3', 'cloud-client'] as const
export type DeviceKind = (typeof DEVICE_KINDS)[number]

export interface Device {
  readonly kind: DeviceKind
  readonly program: Program
  /** Tells apart devices of one program, for what depends on the hardware. */
  readonly model: number
  readonly updates: Updates
  /** First day on which it is used. */
  readonly fromDay: number
  /** Old clients speak without TLS. */
  readonly tls: boolean
}

interface Program {
  /** Of reading mail. Those that send do so over smtp. */
  readonly protocol: 'imap' | 'pop3' | 'https' | 'mobileapi'
  /** Family of the program, and where it runs: two devices with the same look much the same to a policy. */
  readonly family: string
  /** @param release - the newest on day 0 is 0, older ones are less */
  readonly idOf: (release: number, model: number) => string
}

/** When a device gets the releases of its program. */
interface Updates {
  /** So many releases behind the newest. */
  readonly behind: number
  /** Days after a release is out. */
  readonly lateDays: number
  readonly isFrozen: boolean
}

type Programs = readonly [Program, ...(readonly Program[])]

/** Of every program, as browsers have it. */
const RELEASE_DAYS = 28
const MODELS = 6
/** Share of devices that have the newest release, and of those that never get another one. */
const IS_NEWEST = 0.55
const IS_FROZEN = 0.1
const MOST_BEHIND = 8

const WINDOWS = '(Windows NT 10.0; Win64; x64)'
const MAC = '(Macintosh; Intel Mac OS X 10_15_7)'

const BROWSERS: Programs = [
  browser('Chrome/Windows', (release) => chrome(WINDOWS, 139 + release)),
  browser('Chrome/Mac OS X', (release) => chrome(MAC, 139 + release)),
  firefox('Firefox/Windows', 'Windows NT 10.0; Win64; x64'),
  firefox('Firefox/Linux', 'X11; Linux x86_64'),
  browser(
    'Safari/Mac OS X',
    (release) =>
      `${MAC} AppleWebKit/605.1.15 (KHTML, like Gecko) Version/${version(18, release, 6)} Safari/605.1.15`,
  ),
  browser('Edge/Windows', (release) => `${chrome(WINDOWS, 139 + release)} Edg/${139 + release}.0.0.0`),
]

const DESKTOPS: Programs = [
  imapClient('Thunderbird', (release) => ({ version: `${140 + release}.0` })),
  imapClient('Mac OS X Mail', (release) => ({
    version: `16.0 (${3826 + release}.400.1)`,
    os: 'Mac OS X',
    'os-version': `${version(15, release, 6)} (24A335)`,
    vendor: 'Apple Inc.',
  })),
  imapClient('Microsoft Outlook', (release, model) => ({
    version: `16.0.${18_000 + release * 100 + model}.0`,
  })),
  imapClient('eM Client', (release) => ({ version: version(10, release, 4) })),
]

const PHONES: Programs = [
  imapClient('iPhone Mail', (release) => ({
    version: `22${'ABCDEFG'[(((release + 5) % 7) + 7) % 7] ?? 'A'}${300 + release}`,
    os: 'iOS',
    'os-version': `${version(18, release, 6)} (22A33)`,
  })),
  imapClient('K-9 Mail', (release) => ({ version: version(9, release, 10) })),
  mobileApp('iOS', (release, model) => `(OS: ${version(18, release, 6)}; device: iPhone ${11 + model})`),
  mobileApp('Android', (_, model) => `(OS: ${12 + (model % 4)}; device: Pixel ${4 + model})`),
]

const POP3: Programs = [{ protocol: 'pop3', family: '', idOf: () => '' }]
const CLOUD: Programs = [imapClient('Cloud Mail', () => ({ vendor: 'Example Cloud Mail', version: '4.2' }))]

const PROGRAMS: Readonly<Record<DeviceKind, Programs>> = {
  phone: PHONES, desktop: DESKTOPS, browser: BROWSERS, pop3: POP3, 'cloud-client': CLOUD,
} // prettier-ignore

/** Share of the POP3 clients that still speak without TLS. */
const WITHOUT_TLS = 0.3

export function makeDevice(kind: DeviceKind, fromDay: number, random: Random): Device {
  return deviceWith(kind, random.pick(PROGRAMS[kind]), fromDay, random)
}

/** What a device says of itself on a day; '' when it says nothing. */
export function deviceIdOn({ program, model, updates, fromDay }: Device, day: number): string {
  const until = updates.isFrozen ? fromDay : day
  const newest = Math.floor((until - updates.lateDays) / RELEASE_DAYS) + 1
  return program.idOf(newest - updates.behind, model)
}

/** A device of a kind whose program is none of these: a thief who does not know them. */
export function makeStrangeDevice(
  kind: 'desktop' | 'browser',
  known: readonly Device[],
  random: Random,
): Device {
  const families = new Set(known.map(({ program }) => program.family))
  let device = makeDevice(kind, 0, random)
  // Nobody has all of them; the bound is for the reader's peace.
  for (let round = 0; families.has(device.program.family) && round < 100; round++)
    device = makeDevice(kind, 0, random)
  return device
}

/**
 * A device with the same program on the same system as one of these, which is not the same device: what it says of itself
 * is something else on all days up to `lastDay`. undefined where there is none of that kind.
 */
export function makeLookAlike(
  kind: 'desktop' | 'browser',
  known: readonly Device[],
  lastDay: number,
  random: Random,
): Device | undefined {
  const sameKind = known.filter((device) => device.kind === kind)
  const original = sameKind[random.below(sameKind.length)]
  if (original === undefined) return undefined
  const taken = new Set(known.flatMap((device) => deviceIdsUntil(device, lastDay)))
  for (let round = 0; round < 100; round++) {
    const device = deviceWith(kind, original.program, 0, random)
    if (deviceIdsUntil(device, lastDay).every((id) => !taken.has(id))) return device
  }
  return undefined
}

/** All that it says of itself in that time. */
function deviceIdsUntil(device: Device, lastDay: number): readonly string[] {
  const ids = new Set<string>()
  for (let day = 0; day <= lastDay; day++) ids.add(deviceIdOn(device, day))
  return [...ids]
}

function deviceWith(kind: DeviceKind, program: Program, fromDay: number, random: Random): Device {
  const model = random.below(MODELS)
  const isNewest = random.chance(IS_NEWEST)
  const updates = {
    behind: isNewest ? 0 : random.integer(1, MOST_BEHIND),
    lateDays: random.integer(0, RELEASE_DAYS - 1),
    isFrozen: random.chance(IS_FROZEN),
  }
  const tls = kind !== 'pop3' || !random.chance(WITHOUT_TLS)
  return { kind, program, model, updates, fromDay, tls }
}

/** Major and minor number; `newest` is the first of its major on day 0. */
function version(newest: number, release: number, perMajor: number): string {
  const minor = ((release % perMajor) + perMajor) % perMajor
  return `${newest + Math.floor(release / perMajor)}.${minor}`
}

function chrome(system: string, major: number): string {
  return `${system} AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${major}.0.0.0 Safari/537.36`
}

function browser(family: string, rest: Program['idOf']): Program {
  return { protocol: 'https', family, idOf: (release, model) => `Mozilla/5.0 ${rest(release, model)}` }
}

function firefox(family: string, system: string): Program {
  return browser(family, (release) => {
    const number = 141 + release
    return `(${system}; rv:${number}.0) Gecko/20100101 Firefox/${number}.0`
  })
}

function mobileApp(system: 'iOS' | 'Android', rest: Program['idOf']): Program {
  return {
    protocol: 'mobileapi',
    family: `Mail/${system}`,
    idOf: (release, model) =>
      `OpenXchange.${system}.Mail/${version(3, release, 9)}.0 ${rest(release, model)}`,
  }
}

function imapClient(
  family: string,
  rest: (release: number, model: number) => Readonly<Record<string, string>>,
): Program {
  return {
    protocol: 'imap',
    family,
    idOf: (release, model) =>
      Object.entries({ name: family, ...rest(release, model) })
        .flat()
        .map((text) => `"${text}"`)
        .join(' '),
  }
}
