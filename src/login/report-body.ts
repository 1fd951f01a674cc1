/**
 * The body of a report request to reports: one report, or the records of a Kafka REST proxy, which is what senders
 * with a Kafka option post. Pure; lives on the threads that take requests. It never throws.
 */
import { isObject } from './attributes.ts'
import { parseJsonBody } from './json-body.ts'
import type { LoginReport } from './login-report.ts'
import { parseLoginReport } from './parse-report.ts'

export type ParsedReportBody =
  | { readonly ok: true; readonly reports: readonly LoginReport[] }
  | { readonly ok: false; readonly reason: string }

/**
 * Reads `{report}` or `{"records":[{"value":{report}},…]}` (the v2 JSON format of the Kafka REST proxy). Of records all
 * are taken or none; the reason then says which one is wrong, counting from 0.
 *
 * @param receivedAtSeconds Unix seconds; the `t` of reports that have none.
 */
export function parseReportBody(body: Uint8Array, receivedAtSeconds: number): ParsedReportBody {
  const json = parseJsonBody(body)
  if (!json.ok) return json
  const records = recordsOf(json.value)
  if (records !== undefined) return parseRecords(records, receivedAtSeconds)
  const parsed = parseLoginReport(json.value, receivedAtSeconds)
  return parsed.ok ? { ok: true, reports: [parsed.report] } : parsed
}

/** A report may have any unknown field, `records` too: what has a login is a report. */
function recordsOf(value: unknown): readonly unknown[] | undefined {
  if (!isObject(value) || value['login'] !== undefined) return undefined
  const records = value['records']
  return Array.isArray(records) ? records : undefined
}

function parseRecords(records: readonly unknown[], receivedAtSeconds: number): ParsedReportBody {
  if (records.length === 0) return { ok: false, reason: 'The list records is empty' }
  const reports: LoginReport[] = []
  for (const [index, record] of records.entries()) {
    const value = isObject(record) ? record['value'] : undefined
    const parsed = parseLoginReport(value, receivedAtSeconds)
    if (!parsed.ok) return { ok: false, reason: `records[${index}].value: ${parsed.reason}` }
    reports.push(parsed.report)
  }
  return { ok: true, reports }
}
