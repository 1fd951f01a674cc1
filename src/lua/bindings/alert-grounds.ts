/**
 * What a run knows at the moment at which it raises an alert, as it is kept for explaining the alert.
 */
import { cutText, EVIDENCE_LIMITS, type EvidenceReport, groundsText } from '../../alerts/alert-evidence.ts'
import type { LoginReport } from '../../login/login-report.ts'
import { isLuaTable } from '../lua-value.ts'
import type { RunContext } from '../run-context.ts'
import { jsonOf } from './json-argument.ts'
import type { TableArgument } from './table-argument.ts'

/** Reads the option `parameters`; the rest comes from the run. Answers a RaiseGrounds as JSON text. */
export function groundsOf(argument: TableArgument, { report, reads, effects }: RunContext): string {
  const parameters = parametersOption(argument)
  const hasReads = (effects.alerts?.length ?? 0) < EVIDENCE_LIMITS.raisesWithReads
  const asked = hasReads ? reads.describe(report?.pwhash) : { reads: '[]', earlierReads: reads.count }
  return groundsText(
    {
      ...(report === undefined ? {} : { report: evidenceReport(report) }),
      ...(parameters === undefined ? {} : { parameters }),
      earlierReads: asked.earlierReads,
    },
    asked.reads,
  )
}

function evidenceReport(report: LoginReport): EvidenceReport {
  return {
    login: cutText(report.login),
    remote: report.remote,
    t: report.t,
    success: report.success,
    failType: cutText(report.fail_type),
    protocol: cutText(report.protocol),
    tls: report.tls,
    deviceId: cutText(report.device_id),
    deviceAttrs: Object.fromEntries(
      Object.entries(report.device_attrs)
        .slice(0, EVIDENCE_LIMITS.attributes)
        .map(([name, value]) => [cutText(name), cutText(value)]),
    ),
  }
}

function parametersOption(argument: TableArgument): string | undefined {
  const value = argument.value('parameters')
  if (value === undefined || value === null) return undefined
  if (!isLuaTable(value)) return argument.fail('parameters must be a table with names')
  const json = jsonOf(value)
  if (!json.ok) return argument.fail(`parameters cannot hold ${json.what}`)
  return Buffer.byteLength(json.text) > EVIDENCE_LIMITS.parametersBytes
    ? argument.fail(`parameters are longer than ${EVIDENCE_LIMITS.parametersBytes} bytes as JSON`)
    : json.text
}
