/**
 * One report off the wire, from parsed JSON to a validated LoginReport. Pure; lives on the threads that take requests.
 * It never throws: a report that is not right gets a sentence that names the field and never repeats its content.
 */
import { isObject, readAttributes, readStringAttributes } from './attributes.ts'
import { parseComboAddress } from './combo-address.ts'
import type { LoginReport } from './login-report.ts'

export type ParsedReport =
  { readonly ok: true; readonly report: LoginReport } | { readonly ok: false; readonly reason: string }

/** In UTF-16 units. Far above what any sender has reason to send, far below what would hurt. */
const MAX_LENGTHS = {
  login: 4_096,
  remote: 128,
  pwhash: 4_096,
  fail_type: 1_024,
  protocol: 1_024,
  device_id: 65_536,
  session_id: 4_096,
} as const

const STRING_LIMITS = Object.entries(MAX_LENGTHS)
const BOOLEANS = ['success', 'policy_reject', 'tls'] as const
const REQUIRED = ['login', 'remote', 'success'] as const

/** The farthest times from 1970 that a Date can hold, in seconds (ECMA-262, time values). */
const MAX_UNIX_SECONDS = 8_640_000_000_000

type StringField = keyof typeof MAX_LENGTHS
type BooleanField = (typeof BOOLEANS)[number]

/** What is known of the object once `problemOf` found nothing. */
type WireReport = { readonly [F in StringField]?: string | null } & {
  readonly [F in BooleanField]?: boolean | null
} & { readonly login: string; readonly remote: string; readonly success: boolean; readonly t?: number | null }

/**
 * Validates one report by the reference's rules for fields: `login`, `remote` and `success` must be there; others may be
 * missing or null, but not of another type; unknown ones are ignored. A remote ::ffff:192.0.2.1 becomes 192.0.2.1.
 *
 * @param receivedAtSeconds Unix seconds; the report's `t` if it has none.
 */
export function parseLoginReport(value: unknown, receivedAtSeconds: number): ParsedReport {
  if (!isObject(value)) return refused('A report must be a JSON object')
  const problem = problemOf(value)
  if (problem !== undefined) return refused(problem)
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- problemOf has just checked every field
  const wire = value as unknown as WireReport
  const remote = parseComboAddress(wire.remote)?.unmapped()
  if (remote === undefined) return refused('The field remote is no IP address')
  const attributes = readAttributes('attrs', value['attrs'])
  if (typeof attributes === 'string') return refused(attributes)
  const deviceAttributes = readStringAttributes('device_attrs', value['device_attrs'])
  if (typeof deviceAttributes === 'string') return refused(deviceAttributes)
  return {
    ok: true,
    report: {
      t: wire.t ?? receivedAtSeconds,
      login: wire.login,
      remote: remote.address,
      remote_port: remote.port,
      pwhash: wire.pwhash ?? '',
      success: wire.success,
      policy_reject: wire.policy_reject ?? false,
      fail_type: wire.fail_type ?? '',
      protocol: wire.protocol ?? '',
      tls: wire.tls ?? false,
      device_id: wire.device_id ?? '',
      session_id: wire.session_id ?? '',
      device_attrs: deviceAttributes,
      attrs: attributes.attrs,
      attrs_mv: attributes.attrs_mv,
    },
  }
}

/** The first field that is missing or of the wrong type, in words. */
function problemOf(value: Readonly<Record<string, unknown>>): string | undefined {
  for (const name of REQUIRED) {
    if (isMissing(value[name])) return `The field ${name} is missing`
  }
  for (const [name, maxLength] of STRING_LIMITS) {
    const member = value[name]
    if (isMissing(member)) continue
    if (typeof member !== 'string') return `The field ${name} must be a string`
    if (member.length > maxLength) return `The field ${name} is longer than ${maxLength} characters`
  }
  for (const name of BOOLEANS) {
    const member = value[name]
    if (!isMissing(member) && typeof member !== 'boolean') return `The field ${name} must be true or false`
  }
  const time = value['t']
  if (isMissing(time) || (typeof time === 'number' && Math.abs(time) <= MAX_UNIX_SECONDS)) return undefined
  return 'The field t must be a number of seconds since 1970'
}

function isMissing(value: unknown): boolean {
  return value === undefined || value === null
}

function refused(reason: string): ParsedReport {
  return { ok: false, reason }
}
