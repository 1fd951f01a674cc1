import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { tlsClientOptions } from '../../../src/outgoing/tls-client-options.ts'
import { PLAIN_TLS } from '../../support/delivery-rig.ts'
import { privateCa } from '../../support/private-ca.ts'

const MISSING = '/nowhere/missing.pem'

test('without settings the built-in authorities and all checks apply', () => {
  assert.deepEqual(tlsClientOptions(PLAIN_TLS), { rejectUnauthorized: true })
})

test('files are read', () => {
  const options = tlsClientOptions({
    ...PLAIN_TLS,
    caBundleFile: privateCa.caFile,
    clientCertificateFile: privateCa.clientFile,
    clientKeyFile: privateCa.clientKeyFile,
  })
  assert.equal(options.ca, privateCa.ca)
  assert.ok(typeof options.key === 'string' && options.key.includes('PRIVATE KEY'))
})

const bad = [
  ['a missing bundle', { caBundleFile: MISSING }, MISSING],
  [
    'a missing certificate',
    { clientCertificateFile: MISSING, clientKeyFile: privateCa.clientKeyFile },
    MISSING,
  ],
  ['a missing key', { clientCertificateFile: privateCa.clientFile, clientKeyFile: MISSING }, MISSING],
  ['a certificate without a key', { clientCertificateFile: privateCa.clientFile }, privateCa.clientFile],
  ['a key as a bundle', { caBundleFile: privateCa.clientKeyFile }, privateCa.clientKeyFile],
  [
    'the key of another certificate',
    { clientCertificateFile: privateCa.clientFile, clientKeyFile: privateCa.serverKeyFile },
    privateCa.serverKeyFile,
  ],
] as const

for (const [name, settings, file] of bad) {
  test(`${name} is refused, naming the file and not its content`, () => {
    assert.throws(
      () => tlsClientOptions({ ...PLAIN_TLS, ...settings }),
      (error) =>
        error instanceof Error &&
        'code' in error &&
        error.code === 'TRK_TLS_CLIENT_FILES' &&
        error.message.includes(file) &&
        !error.message.includes('BEGIN'),
    )
  })
}

test('a file without any certificate is no bundle', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'trackalert-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'empty.pem')
  writeFileSync(file, '# nothing here\n')
  assert.throws(() => tlsClientOptions({ ...PLAIN_TLS, caBundleFile: file }), { message: new RegExp(file) })
})
