/**
 * Alert sinks of the type snmp: their keys. Pure.
 */
import { createHash } from 'node:crypto'
import { isIPv4 } from 'node:net'
import { SecretText } from '../../../config/secret-text.ts'
import { placeText, type Parsed, type Place, type SinkKeys } from '../sink-keys.ts'
import type { SinkBasics } from '../sink-port.ts'
import { SPREAD_MODES, type SpreadMode } from '../spread.ts'

const VERSIONS = ['1', '2c', '3'] as const
const AUTH_PROTOCOLS = ['sha', 'sha224', 'sha256', 'sha384', 'sha512', 'md5'] as const
const PRIV_PROTOCOLS = ['aes', 'aes256b', 'aes256r', 'des'] as const

export interface SnmpUser {
  readonly name: string
  readonly auth:
    { readonly protocol: (typeof AUTH_PROTOCOLS)[number]; readonly password: SecretText } | undefined
  readonly priv:
    { readonly protocol: (typeof PRIV_PROTOCOLS)[number]; readonly password: SecretText } | undefined
}

export type SnmpAccess =
  | { readonly version: '1' | '2c'; readonly community: SecretText }
  | { readonly version: '3'; readonly user: SnmpUser; readonly engineId: string | undefined }

export interface SnmpSink extends SinkBasics {
  readonly type: 'snmp'
  readonly access: SnmpAccess
  readonly places: readonly Place[]
  readonly mode: SpreadMode
  readonly isInform: boolean
  /** Of conf/TRACKALERT-MIB.txt: trackalertMIB. */
  readonly root: string
  /** IPv4 address that a version 1 trap says it comes from. */
  readonly agentAddress: string
}

/** 32473 is set aside for examples (RFC 5612): trackalert has no enterprise number of its own. */
const DEFAULT_ROOT = '1.3.6.1.4.1.32473.1'

const OID = /^1\.3\.6\.1(?:\.(?:0|[1-9]\d{0,9})){2,20}$/
/** RFC 3411: 5 to 32 octets. */
const ENGINE_ID = /^(?:[\dA-Fa-f]{2}){5,32}$/
/** RFC 3414, section 11.2. */
const MIN_PASSWORD = 8

export function parseSnmpSink(name: string, keys: SinkKeys): Parsed<SnmpSink> {
  const version = keys.choice('version', VERSIONS, '2c')
  const places = keys.places('host', undefined, 162)
  const mode = keys.choice('mode', SPREAD_MODES, 'all')
  const isInform = keys.flag('inform', false)
  if (isInform && version === '1') keys.problem('inform needs version "2c" or "3": version 1 has none')
  const access = readAccess(keys, version)
  const root = keys.text('root') ?? DEFAULT_ROOT
  if (!OID.test(root)) keys.problem(`root must be an object identifier such as ${DEFAULT_ROOT}`)
  const agentAddress = keys.text('agentAddress') ?? '0.0.0.0'
  if (!isIPv4(agentAddress)) keys.problem('agentAddress must be an IPv4 address')
  const timeoutMs = 1000 * keys.number('timeout', { preset: 5, min: 1, max: 300, unit: 'seconds' })
  const place = `SNMP v${version} ${places.map(placeText).join(', ')}`
  const basics = { type: 'snmp', name, place, timeoutMs } as const
  return keys.done(name, { ...basics, access, places, mode, isInform, root, agentAddress })
}

function readAccess(keys: SinkKeys, version: (typeof VERSIONS)[number]): SnmpAccess {
  const community = keys.secret('community')
  const v3 = readUser(keys)
  if (version === '3') {
    if (community !== undefined) keys.problem('community is of versions 1 and 2c; version 3 has a user')
    if (v3.user.name === '') keys.problem('the key user is missing')
    return { version, ...v3 }
  }
  if (v3.isGiven)
    keys.problem('user, the keys of authentication and privacy, and engineId need version = "3"')
  return { version, community: community ?? new SecretText('public') }
}

function readUser(keys: SinkKeys) {
  const name = keys.text('user') ?? ''
  const authProtocol = keys.choice('authProtocol', AUTH_PROTOCOLS, 'sha')
  const authPassword = readPassword(keys, 'authPassword')
  const privProtocol = keys.choice('privProtocol', PRIV_PROTOCOLS, 'aes')
  const privPassword = readPassword(keys, 'privPassword')
  const engineId = keys.text('engineId')?.replace(/^0x/i, '').toLowerCase()
  if (privPassword !== undefined && authPassword === undefined)
    keys.problem('privPassword needs authPassword: privacy goes with authentication only')
  if (engineId !== undefined && !ENGINE_ID.test(engineId))
    keys.problem('engineId must be 5 to 32 bytes in hexadecimal')
  const isGiven = ['user', 'authProtocol', 'authPassword', 'privProtocol', 'privPassword', 'engineId'].some(
    (key) => keys.has(key),
  )
  const user: SnmpUser = {
    name,
    auth: authPassword === undefined ? undefined : { protocol: authProtocol, password: authPassword },
    priv: privPassword === undefined ? undefined : { protocol: privProtocol, password: privPassword },
  }
  return { user, engineId, isGiven }
}

function readPassword(keys: SinkKeys, key: string): SecretText | undefined {
  const password = keys.secret(key)
  if (password !== undefined && password.reveal().length < MIN_PASSWORD)
    keys.problem(`${key} must have at least ${MIN_PASSWORD} characters`)
  return password
}

/**
 * The engine id of a host that was given none, in hexadecimal: always the same, so that receivers, which keep their keys
 * by it, need to be told once. RFC 3411: the enterprise with the first bit set, 5 for octets, and the octets.
 */
export function defaultEngineId(hostname: string): string {
  return `80007ed905${createHash('sha256').update(hostname).digest('hex').slice(0, 24)}`
}
