/**
 * A report as the simulator writes it: the wire format of a login report, and what is known about it. Pure.
 */
import { mix, numberOf } from './random.ts'
import type { AttackType } from './attacks/attack-types.ts'

/** What makes honest traffic look suspicious; trackalert(1) says what each is. */
export const TRAPS = [
  'mobile-network', 'vpn', 'travel', 'visit', 'left-on', 'shared-office', 'commuter', 'shared-mailbox', 'night-worker', 'dormant-return',
  'new-device', 'typing-error', 'forgotten-password', 'stale-password', 'gateway', 'cloud-client', 'outage',
] as const // prettier-ignore
export type Trap = (typeof TRAPS)[number]

export interface SimulatedReport {
  /** Unix seconds, to the millisecond. */
  readonly t: number
  readonly login: string
  readonly remote: string
  readonly success: boolean
  readonly pwhash: string
  readonly protocol: string
  readonly tls: boolean
  readonly device_id: string
  readonly fail_type?: 'credentials' | 'account' | 'internal'
  readonly session_id?: string
  readonly attrs: Readonly<Record<string, string>>
  /** Only of attacks. */
  readonly label?: AttackType
  /** Which attack it is, as TYPE-NUMBER-FORM; found or missed as a whole. */
  readonly attack?: string
  /** Only of honest reports, and of those only where one is there. */
  readonly trap?: Trap
}

/**
 * What senders such as Dovecot put into pwhash: 12 bits of a hash of login and password. So one password has another
 * hash with each login, and two passwords of a login have the same one once in 4096.
 *
 * @param password - any number; the n-th of the login's own ones, or one that somebody guessed
 */
export function passwordHash(login: string, password: number): string {
  return (mix(numberOf(login), password, 0x5057) & 0xfff).toString(16).padStart(4, '0')
}

/** A password that is not the login's own, whatever the number. */
export function guessedHash(login: string, guess: number): string {
  return passwordHash(login, (guess | 0x8000_0000) >>> 0)
}

/** Made once per successful login over the web. */
export function sessionId(login: string, t: number): string {
  const milliseconds = Math.round(t * 1000)
  const low = milliseconds >>> 0
  const words = [mix(numberOf(login), low, 1), mix(numberOf(login), low, 2)]
  return words.map((word) => word.toString(16).padStart(8, '0')).join('')
}

/** Seconds with at most three decimals, so that they are the same text everywhere. */
export function toMilliseconds(seconds: number): number {
  return Math.round(seconds * 1000) / 1000
}
