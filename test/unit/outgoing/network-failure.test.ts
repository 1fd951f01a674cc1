import assert from 'node:assert/strict'
import { test } from 'node:test'
import { networkFailure } from '../../../src/outgoing/network-failure.ts'

function coded(code: string): Error {
  return Object.assign(new Error('secret details'), { code })
}

const cases = [
  [coded('UND_ERR_CONNECT_TIMEOUT'), 'timeout'],
  [new DOMException('late', 'TimeoutError'), 'timeout'],
  [coded('ENOTFOUND'), 'name'],
  [coded('ECONNREFUSED'), 'connect'],
  [coded('ECONNRESET'), 'reset'],
  [coded('UND_ERR_SOCKET'), 'reset'],
  [coded('ERR_TLS_CERT_ALTNAME_INVALID'), 'tls'],
  [coded('ERR_SSL_WRONG_VERSION_NUMBER'), 'tls'],
  [coded('HPE_INVALID_CONSTANT'), 'protocol'],
  [coded('UND_ERR_INVALID_ARG'), 'invalid'],
  [coded('EWHATEVER'), 'other'],
  [new Error('secret details'), 'other'],
  ['secret details', 'other'],
  [undefined, 'other'],
] as const

for (const [error, kind] of cases) {
  test(`${String(error)} ${error instanceof Error && 'code' in error ? String(error.code) : ''} is of the kind ${kind}`, () => {
    const failure = networkFailure(error)
    assert.equal(failure.kind, kind)
    assert.ok(!failure.text.includes('secret'))
  })
}
