/** Login reports as they are after validation. */
import assert from 'node:assert/strict'
import type { LoginReport } from '../../src/login/login-report.ts'
import { parseLoginReport } from '../../src/login/parse-report.ts'

/** @param fields - as on the wire, beside those that every report has */
export function loginReport(fields: object): LoginReport {
  const parsed = parseLoginReport({ login: 'ann', remote: '192.0.2.1:55', success: true, ...fields }, 1000.5)
  assert.ok(parsed.ok)
  return parsed.report
}
