/**
 * `trackalert report`: sends one login report to a server, as an authentication system would, and prints the answer.
 */
import type { Inspection } from '../config/inspection.ts'
import { networkFailure } from '../outgoing/network-failure.ts'
import { EXIT, type ExitStatus } from './exit-status.ts'
import { askServer, findHttpTarget } from './http-target.ts'
import type { ReportChoice } from './report-options.ts'

const TIMEOUT_MS = 10_000
const OK = 200

interface ReportDeps {
  /** Looks at the configuration, for the listener and the password. */
  readonly inspect: () => Promise<Inspection>
  readonly write: (text: string) => void
  readonly writeError: (text: string) => void
}

/**
 * @returns 0 when the server took the report, 1 when it refused it, 3 when it cannot be reached.
 * @throws TrackError TRK_REPORT_SETTINGS when it is not known where to send to, or with which password
 */
export async function sendReport(report: ReportChoice, deps: ReportDeps): Promise<ExitStatus> {
  const target = await findHttpTarget(report, deps.inspect)
  try {
    const { status, body } = await askServer(target, {
      path: '/command/report',
      body: bodyOf(report),
      timeoutMs: TIMEOUT_MS,
    })
    deps.write(`${body}\n`)
    if (status === OK) return EXIT.ok
    deps.writeError(`the server refused the report with status ${status}\n`)
    return EXIT.failed
  } catch (error) {
    deps.writeError(`no answer from ${target.origin}: ${networkFailure(error).text}\n`)
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
