/**
 * The last line of defence of secrets: whoever writes a line must not put one in, and here one that got in is covered. Pure.
 */
import type { LogFields } from './log.ts'

const COVERED = '***'
/** Ends of field names, without regard to case, dashes and underscores. */
const SECRET_NAME =
  /(?:pass(?:word|wd|phrase|code)?|pwd|secret|token|cookie|credentials?|authorization|api[-_]?key|private[-_]?key|signing[-_]?key|community)$/i
/** The header or field, a scheme, and what must not be seen. */
const AUTHORIZATION =
  /(authorization["']?\s{0,5}[:=]\s{0,5}["']?)(?:(?:basic|bearer|digest|negotiate)\s{1,5})?[^\s"',;]+/gi
const HAS_AUTHORIZATION = /authorization/i
/** User and password of a URL, up to the last @ before the path. */
const URL_CREDENTIALS = /:\/\/[^\s/?#"'<>]*@/g

/** The text without user and password in URLs and without the values of Authorization headers. */
export function redactText(text: string): string {
  let result = text
  if (result.includes('://')) result = result.replace(URL_CREDENTIALS, `://${COVERED}@`)
  if (HAS_AUTHORIZATION.test(result)) result = result.replace(AUTHORIZATION, `$1${COVERED}`)
  return result
}

/** The fields with every value covered whose name says that it is a secret; the same object when there is nothing to do. */
export function redactFields(fields: LogFields): LogFields {
  let changed: Record<string, string | number | boolean | undefined> | undefined
  for (const name in fields) {
    const value = fields[name]
    // Numbers and truth values are counts and switches: passwordFailures, hasToken.
    if (typeof value !== 'string') continue
    const shown = value !== '' && SECRET_NAME.test(name) ? COVERED : redactText(value)
    if (shown === value) continue
    changed ??= { ...fields }
    changed[name] = shown
  }
  return changed ?? fields
}
