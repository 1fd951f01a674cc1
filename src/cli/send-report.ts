/**
 * `trackalert report`: sends one login report to a server, as an authentication system would, and prints the answer.
 */
import { readFileSync } from 'node:fs'
import { Agent, request } from 'undici'
import type { Inspection } from '../config/inspection.ts'
import type { CollectedListener } from '../config/settings-collector.ts'
import { messageOf, TrackError } from '../errors.ts'
import { networkFailure } from '../outgoing/network-failure.ts'
import { EXIT, type ExitStatus } from './exit-status.ts'
import { addressText, reachableHost } from './reachable-host.ts'
import type { ReportChoice } from './report-options.ts'

const TIMEOUT_MS = 10_000
const OK = 200

interface ReportDeps {
  /** Looks at the configuration, for the listener and the password. */
  readonly inspect: () => Promise<Inspection>
  readonly write: (text: string) => void
  readonly writeError: (text: string) => void
}

/** Where to send to. */
interface Receiver {
  readonly origin: string
  readonly password: string
  /** The certificate that the configuration gives to its listener: trusted, whatever name it is for. */
  readonly certificateFile: string | undefined
}

/**
 * @returns 0 when the server took the report, 1 when it refused it, 3 when it cannot be reached.
 * @throws TrackError TRK_REPORT_SETTINGS when it is not known where to send to, or with which password
 */
export async function sendReport(report: ReportChoice, deps: ReportDeps): Promise<ExitStatus> {
  const receiver = await receiverOf(report, deps)
  try {
    const { status, body } = await post(receiver, bodyOf(report))
    deps.write(`${body}\n`)
    if (status === OK) return EXIT.ok
    deps.writeError(`the server refused the report with status ${status}\n`)
    return EXIT.failed
  } catch (error) {
    deps.writeError(`no answer from ${receiver.origin}: ${networkFailure(error).text}\n`)
    return EXIT.unreachable
  }
}

/** What is not known stays out: the server has a default for it. */
function bodyOf(report: ReportChoice): string {
  const { login, remote, success, failType, protocol, deviceId, sessionId, attributes } = report
  return JSON.stringify({
    login,
    remote,
    success,
    ...(failType === undefined ? {} : { fail_type: failType }),
    ...(protocol === undefined ? {} : { protocol }),
    ...(deviceId === undefined ? {} : { device_id: deviceId }),
    ...(sessionId === undefined ? {} : { session_id: sessionId }),
    ...(Object.keys(attributes).length === 0 ? {} : { attrs: attributes }),
  })
}

async function receiverOf(report: ReportChoice, { inspect }: ReportDeps): Promise<Receiver> {
  const { url, passwordFile } = report
  const password = passwordFile === undefined ? undefined : passwordIn(passwordFile)
  if (url !== undefined && password !== undefined) {
    return { origin: originOf(url), password, certificateFile: undefined }
  }
  const { listeners, webserverPassword } = await inspect()
  const [listener] = listeners
  const known =
    password ??
    webserverPassword ??
    fail('the configuration has no setWebserverPassword(); say --password-file')
  if (url !== undefined) return { origin: originOf(url), password: known, certificateFile: undefined }
  if (listener === undefined) return fail('the configuration has no addListener(); say --url')
  if (listener.port === 0) return fail('the first listener of the configuration has any free port; say --url')
  return {
    origin: listenerOrigin(listener),
    password: known,
    certificateFile: listener.tls?.certificateFile,
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

async function post(
  { origin, password, certificateFile }: Receiver,
  body: string,
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
    const answer = await request(`${origin}/command/report`, {
      method: 'POST',
      dispatcher,
      signal: AbortSignal.timeout(TIMEOUT_MS),
      headers: {
        authorization: `Basic ${Buffer.from(`trackalert:${password}`).toString('base64')}`,
        'content-type': 'application/json',
      },
      body,
    })
    return { status: answer.statusCode, body: await answer.body.text() }
  } finally {
    await dispatcher.close()
  }
}

function fail(reason: string, cause?: unknown): never {
  throw new TrackError('TRK_REPORT_SETTINGS', reason, { cause })
}
