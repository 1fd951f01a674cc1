/**
 * A report as one string, to go from thread to thread and to the disk: copying a string costs less than a structured
 * clone of a report. Pure; used on every thread.
 */
import { emptyRecord } from './attributes.ts'
import type { LoginReport } from './login-report.ts'

/** JSON. Lone surrogates, which stand for bytes that are not UTF-8, are escaped and so survive as UTF-8. */
export function encodeLoginReport(report: LoginReport): string {
  return JSON.stringify(report)
}

/** The report that `encodeLoginReport` wrote. The text is trusted to be one. */
export function decodeLoginReport(text: string): LoginReport {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by encodeLoginReport
  const report = JSON.parse(text) as LoginReport
  return {
    ...report,
    device_attrs: withoutPrototype(report.device_attrs),
    attrs: withoutPrototype(report.attrs),
    attrs_mv: withoutPrototype(report.attrs_mv),
  }
}

/** JSON.parse makes ordinary objects, in which `map.constructor` is something even though no sender wrote it. */
function withoutPrototype<T>(map: Readonly<Record<string, T>>): Readonly<Record<string, T>> {
  return Object.assign(emptyRecord<T>(), map)
}
