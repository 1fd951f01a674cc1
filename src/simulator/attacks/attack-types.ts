/**
 * The kinds of attack that the simulator knows, and what an attack is made from. Pure.
 */
import { deviceIdOn, type Device } from '../device-catalogue.ts'
import { DAY_SECONDS, passwordAt, type Person } from '../person.ts'
import type { Random } from '../random.ts'
import { passwordHash, guessedHash, toMilliseconds, type SimulatedReport } from '../simulated-report.ts'
import type { Site } from '../site.ts'

export const ATTACK_TYPES = [
  'brute-force',
  'distributed-brute-force',
  'spray-address',
  'spray-prefix',
  'spray-network',
  'spray-patient',
  'stuffing',
  'takeover-abroad',
  'takeover-domestic',
  'takeover-travel',
  'takeover-after-failures',
  'takeover-dormant',
  'takeover-new-protocol',
] as const
export type AttackType = (typeof ATTACK_TYPES)[number]

/** Patient: slow, spread out, or dressed up as what people do. */
export type AttackForm = 'easy' | 'patient'

export interface AttackSetup {
  readonly site: Site
  readonly id: string
  readonly type: AttackType
  readonly form: AttackForm
  readonly random: Random
  /** Seconds since the start of the simulation, between which all of it happens. */
  readonly window: { readonly from: number; readonly to: number }
  /** Whom an attack on one person is aimed at. */
  readonly victim: Person
}

/** Reports in the order of time. */
export type Attack = (setup: AttackSetup) => Iterable<SimulatedReport>

export interface TryDevice {
  readonly protocol: string
  readonly deviceId: string
}

/** One try of an attacker. */
interface Try extends TryDevice {
  /** Seconds since the start of the simulation. */
  readonly at: number
  readonly login: string
  readonly remote: string
  /** undefined: a wrong one, of chance. */
  readonly password: 'right' | number | undefined
}

/** A report of a try; a try on a login that nobody has fails for that reason. */
export function attackReport(
  { site, id, type, random }: AttackSetup,
  person: Person | undefined,
  attempt: Try,
): SimulatedReport {
  const { login, password, at } = attempt
  const success = password === 'right' && person !== undefined
  const guess = typeof password === 'number' ? password : random.next()
  return {
    t: toMilliseconds(site.startSeconds + at),
    login,
    remote: attempt.remote,
    success,
    pwhash: success ? passwordHash(login, passwordAt(person, at)) : guessedHash(login, guess),
    protocol: attempt.protocol,
    tls: true,
    device_id: attempt.deviceId,
    ...(success ? {} : { fail_type: person === undefined ? 'account' : 'credentials' }),
    attrs: person === undefined ? {} : { customer: person.customerKind },
    label: type,
    attack: id,
  }
}

/** What a device is in a try; `at` as of the try. */
export function deviceOf(device: Device, at: number): TryDevice {
  return { protocol: device.program.protocol, deviceId: deviceIdOn(device, Math.floor(at / DAY_SECONDS)) }
}

/** What scripts speak: IMAP or SMTP, and no word about themselves. */
export function scriptProtocol(random: Random): TryDevice {
  return { protocol: random.pick(['imap', 'smtp', 'imap']), deviceId: '' }
}

/** A time at which something that takes so long can begin within the window. */
export function beginOf({ window, random }: AttackSetup, takesSeconds: number): number {
  return random.between(window.from, Math.max(window.from, window.to - takesSeconds))
}
