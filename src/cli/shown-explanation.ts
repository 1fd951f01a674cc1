/**
 * The explanation of an alert as the server's JSON has it, read with care: the server may be of another version. Pure.
 */
import type { EvidenceReport, TrendRead } from '../alerts/alert-evidence.ts'
import { parseData } from '../alerts/compose-notification.ts'
import type { ExplainedAlert, ExplainedRaise, ExplainedRaises } from '../alerts/explanation-text.ts'
import type { JsonValue } from '../delivery/alert-notification.ts'
import { isObject } from '../login/attributes.ts'
import { number, objects, optional, parse, text, type Fields } from './json-fields.ts'
import { readAlerts } from './shown-alert.ts'

export interface Explained {
  readonly alert: ExplainedAlert
  readonly raises: ExplainedRaises
  /** All of the answer. */
  readonly json: string
}

/** undefined when the answer has none, such as that of a server which cannot explain. */
export function readExplained(body: string): Explained | undefined {
  const [alert] = readAlerts(body) ?? []
  const answer = parse(body)
  const explanation = isObject(answer) ? answer['explanation'] : undefined
  if (alert === undefined || !isObject(explanation)) return undefined
  const { first, latest } = explanation
  return {
    alert: { ...alert, firstAtMs: alert.first * 1000, lastAtMs: alert.last * 1000 },
    raises: {
      ...(isObject(first) ? { first: readRaise(first) } : {}),
      ...(isObject(latest) ? { latest: readRaise(latest) } : {}),
    },
    json: body.trim(),
  }
}

function readRaise(fields: Fields): ExplainedRaise {
  const { report, parameters } = fields
  const value = optional(fields, 'value')
  const threshold = optional(fields, 'threshold')
  return {
    atMs: number(fields, 'at') * 1000,
    message: text(fields, 'message'),
    ...(value === undefined ? {} : { value }),
    ...(threshold === undefined ? {} : { threshold }),
    ...(isObject(report) ? { report: readReport(report), ...reportIdOf(report) } : {}),
    ...(isObject(parameters) ? { parameters: JSON.stringify(parameters) } : {}),
    reads: objects(fields, 'reads').map(readRead),
    earlierReads: number(fields, 'earlier_reads'),
  }
}

function reportIdOf(report: Fields): { readonly reportId?: number } {
  const reportId = optional(report, 'id')
  return reportId === undefined ? {} : { reportId }
}

function readReport(fields: Fields): EvidenceReport {
  const { device_attrs: attrs } = fields
  return {
    login: text(fields, 'login'),
    remote: text(fields, 'remote'),
    t: number(fields, 't'),
    success: fields['success'] === true,
    failType: text(fields, 'fail_type'),
    protocol: text(fields, 'protocol'),
    tls: fields['tls'] === true,
    deviceId: text(fields, 'device_id'),
    deviceAttrs: isObject(attrs)
      ? Object.fromEntries(Object.keys(attrs).map((name) => [name, text(attrs, name)]))
      : {},
  }
}

function readRead(fields: Fields): TrendRead {
  const { item } = fields
  const entries = optional(fields, 'entries')
  return {
    call: text(fields, 'call'),
    database: text(fields, 'database'),
    key: text(fields, 'key'),
    field: text(fields, 'field'),
    ...(typeof item === 'string' ? { item } : {}),
    answer: jsonOf(fields['answer']),
    ...(entries === undefined ? {} : { entries }),
  }
}

/** It was parsed from JSON, so it is such. */
function jsonOf(value: unknown): JsonValue {
  return parseData(JSON.stringify(value ?? null))
}
