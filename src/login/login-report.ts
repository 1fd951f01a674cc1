/**
 * The shape of one login report, as it is after validation. Pure.
 */

/**
 * One login, as an authentication system reported it. Field names are those of the wire and of Lua's LoginTuple.
 * Strings may hold bytes that are not UTF-8: each such byte stands as a lone surrogate U+DC80..U+DCFF
 * (see byte-string.ts), so that a login is never confused with another one.
 */
export interface LoginReport {
  /** Unix seconds, fractional. The time of receipt when the sender gave none. */
  readonly t: number
  readonly login: string
  /** Canonical text of the client's address, without a port. */
  readonly remote: string
  /** The port that came with the address, 0 if none did. */
  readonly remote_port: number
  readonly pwhash: string
  readonly success: boolean
  readonly policy_reject: boolean
  /** internal, credentials, account, expired, disabled, policy, or whatever the sender wrote. */
  readonly fail_type: string
  readonly protocol: string
  readonly tls: boolean
  readonly device_id: string
  readonly session_id: string
  /** Objects without a prototype: a sender may name a key `__proto__`. */
  readonly device_attrs: Readonly<Record<string, string>>
  readonly attrs: Readonly<Record<string, string>>
  readonly attrs_mv: Readonly<Record<string, readonly string[]>>
}
