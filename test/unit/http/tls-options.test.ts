import assert from 'node:assert/strict'
import { constants } from 'node:crypto'
import { test } from 'node:test'
import { createSecureContext, DEFAULT_CIPHERS } from 'node:tls'
import { tlsOptionsFrom } from '../../../src/http/tls-options.ts'

const DEFAULT_SUITES = DEFAULT_CIPHERS.split(':')
  .filter((name) => name.startsWith('TLS_'))
  .join(':')
const DEFAULT_LIST = DEFAULT_CIPHERS.split(':')
  .filter((name) => !name.startsWith('TLS_'))
  .join(':')

const TRANSLATED = [
  [{}, {}],
  [{ minimum_protocol: 'TLSv1.2' }, { minVersion: 'TLSv1.2' }],
  [{ min_protocol: 'tlsv1.3' }, { minVersion: 'TLSv1.3' }],
  [{ MinProtocol: 'TLSv1' }, { minVersion: 'TLSv1' }],
  [{ MINPROTOCOL: 'TLSv1.1' }, { minVersion: 'TLSv1.1' }],
  [
    { MaxProtocol: 'TLSv1.2', MinProtocol: 'TLSv1.2' },
    { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' },
  ],
  [{ maximum_protocol: 'TLSv1.3' }, { maxVersion: 'TLSv1.3' }],
  [{ max_protocol: 'TLSv1.3' }, { maxVersion: 'TLSv1.3' }],
  [{ CipherString: 'HIGH:!aNULL' }, { ciphers: `${DEFAULT_SUITES}:HIGH:!aNULL` }],
  [{ cipher: 'HIGH' }, { ciphers: `${DEFAULT_SUITES}:HIGH` }],
  [{ Ciphersuites: 'TLS_AES_128_GCM_SHA256' }, { ciphers: `TLS_AES_128_GCM_SHA256:${DEFAULT_LIST}` }],
  [
    { Ciphersuites: 'TLS_AES_128_GCM_SHA256', CipherString: 'HIGH' },
    { ciphers: 'TLS_AES_128_GCM_SHA256:HIGH' },
  ],
  [{ Groups: 'X25519:P-256' }, { ecdhCurve: 'X25519:P-256' }],
  [{ curves: 'P-256' }, { ecdhCurve: 'P-256' }],
  [{ SignatureAlgorithms: 'ECDSA+SHA256' }, { sigalgs: 'ECDSA+SHA256' }],
  [{ sigalgs: 'ECDSA+SHA256' }, { sigalgs: 'ECDSA+SHA256' }],
  [
    { Options: 'ServerPreference, -SessionTicket' },
    { secureOptions: constants.SSL_OP_CIPHER_SERVER_PREFERENCE | constants.SSL_OP_NO_TICKET },
  ],
  [{ options: 'SessionTicket' }, { secureOptions: 0 }],
] as const

for (const [named, expected] of TRANSLATED) {
  test(`${JSON.stringify(named)} is understood`, () => {
    const outcome = tlsOptionsFrom(named)
    assert.deepEqual(outcome, { ok: true, options: expected })
    assert.doesNotThrow(() => createSecureContext(expected))
  })
}

const REFUSED: readonly (readonly [Readonly<Record<string, string>>, RegExp])[] = [
  [{ NoSuchOption: 'x' }, /"NoSuchOption" is unknown.*MinProtocol/],
  [{ constructor: 'x' }, /"constructor" is unknown/],
  [{ min_protocol: 'SSLv3' }, /min_protocol is "SSLv3".*TLSv1\.2/],
  [{ MinProtocol: '' }, /MinProtocol is ""/],
  [{ MinProtocol: 'TLSv1.3', MaxProtocol: 'TLSv1.2' }, /minimum protocol TLSv1\.3 is above/],
  [{ Options: 'Nonsense' }, /Options has "Nonsense"/],
]

for (const [named, reason] of REFUSED) {
  test(`${JSON.stringify(named)} is refused by name`, () => {
    const outcome = tlsOptionsFrom(named)
    assert.ok(!outcome.ok)
    assert.match(outcome.reason, reason)
  })
}
