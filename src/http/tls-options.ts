/**
 * TLS options of a listener: the names of the reference, which are those of OpenSSL's configuration commands, to what
 * Node takes. Pure. Names: https://docs.openssl.org/master/man3/SSL_CONF_cmd/ (both its spellings, any case), and
 * `minimum_protocol`, which the reference's manual uses.
 */
import { constants } from 'node:crypto'
import { DEFAULT_CIPHERS, type SecureContextOptions, type SecureVersion } from 'node:tls'

/** The part of Node's TLS options that can be set by name. */
export type NamedTlsOptions = Pick<
  SecureContextOptions,
  'minVersion' | 'maxVersion' | 'ciphers' | 'ecdhCurve' | 'sigalgs' | 'honorCipherOrder' | 'secureOptions'
>

export type TlsOptionsOutcome =
  { readonly ok: true; readonly options: NamedTlsOptions } | { readonly ok: false; readonly reason: string }

const VERSIONS: ReadonlyMap<string, SecureVersion> = new Map([
  ['tlsv1', 'TLSv1'],
  ['tlsv1.0', 'TLSv1'],
  ['tlsv1.1', 'TLSv1.1'],
  ['tlsv1.2', 'TLSv1.2'],
  ['tlsv1.3', 'TLSv1.3'],
])

/** What each name means; a name not in here is an error. */
const KINDS = {
  minimum_protocol: 'minVersion',
  min_protocol: 'minVersion',
  minprotocol: 'minVersion',
  maximum_protocol: 'maxVersion',
  max_protocol: 'maxVersion',
  maxprotocol: 'maxVersion',
  cipher: 'cipherString',
  cipherstring: 'cipherString',
  ciphersuites: 'cipherSuites',
  groups: 'ecdhCurve',
  curves: 'ecdhCurve',
  sigalgs: 'sigalgs',
  signaturealgorithms: 'sigalgs',
  options: 'flags',
} as const

/** Members of `Options`, and the bit that each sets when switched on or, for `off`, when switched off. */
const FLAGS: ReadonlyMap<string, { readonly on: number } | { readonly off: number }> = new Map([
  ['sessionticket', { off: constants.SSL_OP_NO_TICKET }],
  ['serverpreference', { on: constants.SSL_OP_CIPHER_SERVER_PREFERENCE }],
  ['prioritizechacha', { on: constants.SSL_OP_PRIORITIZE_CHACHA }],
  ['norenegotiation', { on: constants.SSL_OP_NO_RENEGOTIATION }],
  ['encryptthenmac', { off: constants.SSL_OP_NO_ENCRYPT_THEN_MAC }],
])

const KNOWN_NAMES =
  'MinProtocol, MaxProtocol, CipherString, Ciphersuites, Groups, SignatureAlgorithms and Options'

/** Translates the options of one listener. The reason names the option that is unknown or has a wrong value. */
export function tlsOptionsFrom(named: Readonly<Record<string, string>>): TlsOptionsOutcome {
  const draft: NamedTlsOptions = {}
  const ciphers: { list?: string; suites?: string } = {}
  for (const [name, value] of Object.entries(named)) {
    const problem = applyOption(draft, ciphers, [name, value])
    if (problem !== undefined) return { ok: false, reason: problem }
  }
  if (ciphers.list !== undefined || ciphers.suites !== undefined) draft.ciphers = joinedCiphers(ciphers)
  if (
    draft.minVersion !== undefined &&
    draft.maxVersion !== undefined &&
    draft.minVersion > draft.maxVersion
  ) {
    return {
      ok: false,
      reason: `the minimum protocol ${draft.minVersion} is above the maximum ${draft.maxVersion}`,
    }
  }
  return { ok: true, options: draft }
}

function applyOption(
  draft: NamedTlsOptions,
  ciphers: { list?: string; suites?: string },
  [name, value]: readonly [string, string],
): string | undefined {
  const key = name.toLowerCase()
  if (!isKnown(key)) return `the TLS option ${JSON.stringify(name)} is unknown; known are ${KNOWN_NAMES}`
  const kind = KINDS[key]
  switch (kind) {
    case 'minVersion':
    case 'maxVersion': {
      const version = VERSIONS.get(value.toLowerCase())
      if (version === undefined) {
        return `the TLS option ${name} is ${JSON.stringify(value)}; write TLSv1, TLSv1.1, TLSv1.2 or TLSv1.3`
      }
      draft[kind] = version
      return undefined
    }
    case 'cipherString':
      ciphers.list = value
      return undefined
    case 'cipherSuites':
      ciphers.suites = value
      return undefined
    case 'ecdhCurve':
    case 'sigalgs':
      draft[kind] = value
      return undefined
    case 'flags':
      return applyFlags(draft, value)
    default:
      return kind satisfies never
  }
}

/** `ServerPreference,-SessionTicket`: a name switches on, with a leading `-` off. */
function applyFlags(draft: NamedTlsOptions, value: string): string | undefined {
  for (const item of value.split(',').map((text) => text.trim())) {
    const isOn = !item.startsWith('-')
    const flag = FLAGS.get(item.replace(/^[+-]/, '').toLowerCase())
    if (flag === undefined) {
      return `the TLS option Options has ${JSON.stringify(item)}; known are SessionTicket, ServerPreference, PrioritizeChaCha, NoRenegotiation and EncryptThenMac, each also with a leading -`
    }
    const bit = 'on' in flag ? (isOn ? flag.on : 0) : isOn ? 0 : flag.off
    draft.secureOptions = (draft.secureOptions ?? 0) | bit
  }
  return undefined
}

/**
 * Node takes both kinds of names in one list and switches off the protocol version whose kind is missing, which is not
 * what somebody wants who names only one of them: the other keeps its default.
 */
function joinedCiphers({ list, suites }: { list?: string; suites?: string }): string {
  const defaults = DEFAULT_CIPHERS.split(':')
  const isSuite = (name: string): boolean => name.startsWith('TLS_')
  return [
    suites ?? defaults.filter(isSuite).join(':'),
    list ?? defaults.filter((name) => !isSuite(name)).join(':'),
  ].join(':')
}

function isKnown(key: string): key is keyof typeof KINDS {
  return Object.hasOwn(KINDS, key)
}
