/**
 * Says that the configuration lacks a setting which a client needs, and which mistake of the file may be why. Pure.
 */
import type { Inspection } from '../config/inspection.ts'

/**
 * @param related - mistakes about the setting; without one, the first of all
 * @returns a sentence without an end
 */
export function missingSetting(what: string, { mistakes }: Inspection, related: RegExp): string {
  const first = mistakes.find(({ message }) => related.test(message)) ?? mistakes[0]
  if (first === undefined) return `the configuration has no ${what}`
  const place = first.file === undefined ? '' : `${first.file}:${first.line}: `
  return `the configuration has no ${what}; ${place}${first.message}`
}
