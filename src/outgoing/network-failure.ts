/**
 * Why a request got no answer, as a closed set of kinds. Pure; used on every thread that talks to other systems.
 */

/**
 * - timeout: no complete answer in time
 * - name: the host name could not be resolved
 * - connect: nobody takes connections there
 * - tls: the certificate or the handshake was not acceptable
 * - reset: the connection was closed before an answer came
 * - protocol: the answer is no HTTP
 * - invalid: the request could not be made at all
 * - other: anything else
 */
export type NetworkFailureKind =
  'timeout' | 'name' | 'connect' | 'tls' | 'reset' | 'protocol' | 'invalid' | 'other'

export interface NetworkFailure {
  readonly kind: NetworkFailureKind
  /** For people: a clause without names, addresses or secrets. */
  readonly text: string
}

const KIND_OF_CODE: ReadonlyMap<string, NetworkFailureKind> = new Map([
  ['TimeoutError', 'timeout'],
  ['UND_ERR_CONNECT_TIMEOUT', 'timeout'],
  ['UND_ERR_HEADERS_TIMEOUT', 'timeout'],
  ['UND_ERR_BODY_TIMEOUT', 'timeout'],
  ['ETIMEDOUT', 'timeout'],
  ['ENOTFOUND', 'name'],
  ['EAI_AGAIN', 'name'],
  ['EAI_FAIL', 'name'],
  ['EAI_NODATA', 'name'],
  ['EAI_NONAME', 'name'],
  ['ECONNREFUSED', 'connect'],
  ['EHOSTUNREACH', 'connect'],
  ['EHOSTDOWN', 'connect'],
  ['ENETUNREACH', 'connect'],
  ['ENETDOWN', 'connect'],
  ['EADDRNOTAVAIL', 'connect'],
  ['ECONNRESET', 'reset'],
  ['EPIPE', 'reset'],
  ['UND_ERR_SOCKET', 'reset'],
  ['CERT_HAS_EXPIRED', 'tls'],
  ['CERT_NOT_YET_VALID', 'tls'],
  ['CERT_REVOKED', 'tls'],
  ['CERT_UNTRUSTED', 'tls'],
  ['CERT_REJECTED', 'tls'],
  ['CERT_SIGNATURE_FAILURE', 'tls'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'tls'],
  ['SELF_SIGNED_CERT_IN_CHAIN', 'tls'],
  ['UNABLE_TO_GET_ISSUER_CERT', 'tls'],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'tls'],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'tls'],
  ['INVALID_CA', 'tls'],
  ['INVALID_PURPOSE', 'tls'],
  ['EPROTO', 'tls'],
  ['HTTPParserError', 'protocol'],
  ['UND_ERR_HEADERS_OVERFLOW', 'protocol'],
  ['UND_ERR_RES_CONTENT_LENGTH_MISMATCH', 'protocol'],
  ['UND_ERR_INVALID_ARG', 'invalid'],
  ['UND_ERR_REQ_CONTENT_LENGTH_MISMATCH', 'invalid'],
  ['UND_ERR_NOT_SUPPORTED', 'invalid'],
])

const TEXT_OF_KIND: Readonly<Record<NetworkFailureKind, string>> = {
  timeout: 'no answer came in time',
  name: 'the host name could not be resolved',
  connect: 'the connection could not be opened',
  tls: 'the TLS connection could not be trusted or agreed on',
  reset: 'the connection was closed before the answer was complete',
  protocol: 'the answer is not valid HTTP',
  invalid: 'the request is not valid HTTP',
  other: 'the request failed',
}

/** What an error of undici, node:net, node:tls or an AbortSignal.timeout means. */
export function networkFailure(error: unknown): NetworkFailure {
  const code = codeOf(error)
  const kind = kindOf(code)
  return { kind, text: code === '' ? TEXT_OF_KIND[kind] : `${TEXT_OF_KIND[kind]} (${code})` }
}

function kindOf(code: string): NetworkFailureKind {
  const known = KIND_OF_CODE.get(code)
  if (known !== undefined) return known
  if (code.startsWith('ERR_TLS_') || code.startsWith('ERR_SSL_')) return 'tls'
  if (code.startsWith('HPE_')) return 'protocol'
  return 'other'
}

/** The string `code` of an error; its name where the code is none, as with DOMException. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return ''
  if ('code' in error && typeof error.code === 'string') return error.code
  return error.name === 'Error' ? '' : error.name
}
