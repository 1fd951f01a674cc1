/**
 * Where the HTTP listener of a server is and which password it takes, and requests to it. Main thread of the client.
 */
import { readFileSync } from 'node:fs'
import { Agent, request } from 'undici'
import type { Inspection } from '../config/inspection.ts'
import type { CollectedListener } from '../config/settings-collector.ts'
import { messageOf, TrackError } from '../errors.ts'
import { missingSetting } from './missing-setting.ts'
import { addressText, reachableHost } from './reachable-host.ts'

/** What the command line says of it; what is undefined comes from the configuration. */
export interface HttpChoice {
  /** Of the listener: http://127.0.0.1:8084 */
  readonly url: string | undefined
  readonly passwordFile: string | undefined
}

export interface HttpTarget {
  readonly origin: string
  readonly password: string
  /** The certificate that the configuration gives to its listener: trusted, whatever name it is for. */
  readonly certificateFile: string | undefined
}

interface HttpQuestion {
  readonly path: string
  /** Given: it is posted, as JSON. */
  readonly body?: string
  readonly timeoutMs: number
}

/**
 * @param inspect - looks at the configuration; called when the choice does not say everything
 * @throws TrackError TRK_REPORT_SETTINGS when it is not known where to send to, or with which password
 */
export async function findHttpTarget(
  { url, passwordFile }: HttpChoice,
  inspect: () => Promise<Inspection>,
): Promise<HttpTarget> {
  const password = passwordFile === undefined ? undefined : passwordIn(passwordFile)
  if (url !== undefined && password !== undefined) {
    return { origin: originOf(url), password, certificateFile: undefined }
  }
  const inspection = await inspect()
  const [listener] = inspection.listeners
  const missing = (what: string, related: RegExp, option: string): never =>
    fail(`${missingSetting(what, inspection, related)}; say ${option}`)
  const known =
    password ??
    inspection.webserverPassword ??
    missing('setWebserverPassword()', /[wW]ebserver|secret/, '--password-file')
  if (url !== undefined) return { origin: originOf(url), password: known, certificateFile: undefined }
  if (listener === undefined) return missing('addListener()', /addListener|webserver\b/, '--url')
  if (listener.port === 0) return fail('the first listener of the configuration has any free port; say --url')
  return {
    origin: listenerOrigin(listener),
    password: known,
    certificateFile: listener.tls?.certificateFile,
  }
}

/**
 * One question to the listener.
 *
 * @throws what undici throws when there is no answer in time
 */
export async function askServer(
  { origin, password, certificateFile }: HttpTarget,
  { path, body, timeoutMs }: HttpQuestion,
): Promise<{ readonly status: number; readonly body: string }> {
  const dispatcher = new Agent({
    connect:
      certificateFile === undefined
        ? {}
        : {
            ca: readFileSync(certificateFile),
            allowPartialTrustChain: true,
            checkServerIdentity: () => undefined,
          },
  })
  try {
    const answer = await request(`${origin}${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      dispatcher,
      signal: AbortSignal.timeout(timeoutMs),
      headers: {
        authorization: `Basic ${Buffer.from(`trackalert:${password}`).toString('base64')}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body }),
    })
    return { status: answer.statusCode, body: await answer.body.text() }
  } finally {
    await dispatcher.close()
  }
}

function originOf(url: string): string {
  if (!URL.canParse(url)) return fail(`${JSON.stringify(url)} is no URL; write http://127.0.0.1:8084`)
  const { protocol, origin } = new URL(url)
  return protocol === 'http:' || protocol === 'https:' ? origin : fail(`${url} is neither http nor https`)
}

function listenerOrigin({ host, port, tls }: CollectedListener): string {
  return `${tls === null ? 'http' : 'https'}://${addressText(reachableHost(host), port)}`
}

function passwordIn(file: string): string {
  let text: string
  try {
    text = readFileSync(file, 'utf8').replace(/\r?\n$/, '')
  } catch (error) {
    return fail(`the password file cannot be read: ${messageOf(error)}`, error)
  }
  return text === '' ? fail(`the password file ${file} is empty`) : text
}

function fail(reason: string, cause?: unknown): never {
  throw new TrackError('TRK_REPORT_SETTINGS', reason, { cause })
}
