/**
 * A report as one string, to go from thread to thread and to the disk: copying a string costs less than a structured
 * clone of a report. Pure; used on every thread.
 */
import { emptyRecord } from './attributes.ts'
import type { LoginReport } from './login-report.ts'

/** While it belongs to nobody else. */
type Decoded = { -readonly [Field in keyof LoginReport]: LoginReport[Field] }

/** Shared by all that have none, which is most of them. */
const NO_VALUES: Readonly<Record<string, never>> = Object.freeze(emptyRecord<never>())

/** JSON. Lone surrogates, which stand for bytes that are not UTF-8, are escaped and so survive as UTF-8. */
export function encodeLoginReport(report: LoginReport): string {
  return JSON.stringify(report)
}

/** The report that `encodeLoginReport` wrote. The text is trusted to be one. */
export function decodeLoginReport(text: string): LoginReport {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by encodeLoginReport
  const report = JSON.parse(text) as Decoded
  report.device_attrs = withoutPrototype(report.device_attrs)
  report.attrs = withoutPrototype(report.attrs)
  report.attrs_mv = withoutPrototype(report.attrs_mv)
  return report
}

/** JSON.parse makes ordinary objects, in which `map.constructor` is something even though no sender wrote it. */
function withoutPrototype<T>(map: Readonly<Record<string, T>>): Readonly<Record<string, T>> {
  for (const _ in map) return Object.assign(emptyRecord<T>(), map)
  return NO_VALUES
}
