/**
 * TLS of outgoing connections: settings and PEM files into what node:tls wants. Used at start and reload, on the main
 * thread for webhooks and on every policy worker for look-ups. Never keep its result where it could be logged: it holds
 * the client's private key.
 */
import { readFileSync } from 'node:fs'
import { createSecureContext, type ConnectionOptions } from 'node:tls'
import { X509Certificate } from 'node:crypto'
import { messageOf, TrackError } from '../errors.ts'

/** The configuration's disableCurl… and setCurl… functions, as settings. */
export interface TlsClientSettings {
  /** False: any certificate is accepted. */
  readonly verifyPeer: boolean
  /** False: a valid certificate of any host's name is accepted. */
  readonly verifyHost: boolean
  /** PEM file of the authorities to trust instead of the built-in ones. */
  readonly caBundleFile: string | null
  /** PEM files of the certificate, with its chain, and the key that are shown to servers that ask. */
  readonly clientCertificateFile: string | null
  readonly clientKeyFile: string | null
}

export type TlsClientOptions = Pick<
  ConnectionOptions,
  'rejectUnauthorized' | 'checkServerIdentity' | 'ca' | 'cert' | 'key'
>

/**
 * Reads the files and checks that they fit together.
 *
 * @throws TrackError TRK_TLS_CLIENT_FILES naming the file that is unreadable, is no PEM, or does not fit.
 */
export function tlsClientOptions(settings: TlsClientSettings): TlsClientOptions {
  const options: TlsClientOptions = { rejectUnauthorized: settings.verifyPeer }
  if (!settings.verifyHost) options.checkServerIdentity = () => undefined
  if (settings.caBundleFile !== null) options.ca = readCertificates(settings.caBundleFile)
  const { clientCertificateFile, clientKeyFile } = settings
  if (clientCertificateFile !== null && clientKeyFile !== null) {
    options.cert = readCertificates(clientCertificateFile)
    options.key = readPem(clientKeyFile)
    checkKeyFits(options, clientCertificateFile, clientKeyFile)
  } else if (clientCertificateFile !== null || clientKeyFile !== null) {
    const given = clientCertificateFile ?? clientKeyFile ?? ''
    throw new TrackError(
      'TRK_TLS_CLIENT_FILES',
      `${given}: a client certificate and its key are only of use together; give both to setCurlClientCertAndKey()`,
    )
  }
  return options
}

/** Whether two results lead to the same connections. */
export function isSameTls(one: TlsClientOptions, other: TlsClientOptions): boolean {
  return (
    one.rejectUnauthorized === other.rejectUnauthorized &&
    (one.checkServerIdentity === undefined) === (other.checkServerIdentity === undefined) &&
    one.ca === other.ca &&
    one.cert === other.cert &&
    one.key === other.key
  )
}

function readPem(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new TrackError('TRK_TLS_CLIENT_FILES', `${file}: ${messageOf(error)}`, { cause: error })
  }
}

/** node:tls takes a file without any certificate for an empty list, and then trusts nobody without saying why. */
function readCertificates(file: string): string {
  const pem = readPem(file)
  try {
    void new X509Certificate(pem)
  } catch (error) {
    throw new TrackError('TRK_TLS_CLIENT_FILES', `${file}: there is no PEM certificate in it`, {
      cause: error,
    })
  }
  return pem
}

function checkKeyFits(options: TlsClientOptions, certificateFile: string, keyFile: string): void {
  try {
    createSecureContext({ cert: options.cert, key: options.key })
  } catch (error) {
    throw new TrackError(
      'TRK_TLS_CLIENT_FILES',
      `${keyFile} is not the unencrypted PEM key of ${certificateFile}: ${messageOf(error)}`,
      { cause: error },
    )
  }
}
