/**
 * Certificate, key and options of a TLS listener, read and tried out before anything listens. Main thread, at start.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createSecureContext } from 'node:tls'
import { messageOf, TrackError } from '../errors.ts'
import type { ListenerSettings, TlsSettings } from './http-ports.ts'
import { tlsOptionsFrom, type NamedTlsOptions } from './tls-options.ts'

/** For `https.createServer`. */
export interface LoadedTls extends NamedTlsOptions {
  readonly cert: Buffer
  readonly key: Buffer
}

/**
 * @throws TrackError TRK_LISTEN_FAILED naming the listener and the file or option that is wrong.
 */
export function loadTls(listener: Pick<ListenerSettings, 'host' | 'port'>, tls: TlsSettings): LoadedTls {
  const fail = (reason: string, cause?: unknown): never => {
    throw new TrackError('TRK_LISTEN_FAILED', `${listener.host} port ${listener.port}: ${reason}`, { cause })
  }
  const attempt = <T>(what: string, action: () => T): T => {
    try {
      return action()
    } catch (error) {
      return fail(`${what}: ${messageOf(error)}`, error)
    }
  }
  const named = tlsOptionsFrom(tls.options)
  if (!named.ok) return fail(named.reason)
  const { certificateFile, keyFile } = tls
  const cert = attempt(`the certificate file ${certificateFile} cannot be read`, () =>
    readFileSync(certificateFile),
  )
  const key = attempt(`the key file ${keyFile} cannot be read`, () => readFileSync(keyFile))
  const certificate = attempt(`${certificateFile} holds no certificate`, () => new X509Certificate(cert))
  const privateKey = attempt(`${keyFile} holds no private key that can be used`, () => createPrivateKey(key))
  if (!certificate.checkPrivateKey(privateKey)) {
    return fail(`the key in ${keyFile} does not belong to the certificate in ${certificateFile}`)
  }
  const loaded = { ...named.options, cert, key }
  attempt('the TLS options cannot be used', () => createSecureContext(loaded))
  return loaded
}
