/**
 * URLs with macros for the date, as webhooks have them. Pure.
 */

/** An unclosed one matches too, as a name that is not known. */
const MACRO = /%\{([^}]*\}?)/g
const MACROS: ReadonlyMap<string, (date: Date) => string> = new Map([
  ['YYYY}', (date) => String(date.getUTCFullYear()).padStart(4, '0')],
  ['MM}', (date) => String(date.getUTCMonth() + 1).padStart(2, '0')],
  ['dd}', (date) => String(date.getUTCDate()).padStart(2, '0')],
])

/**
 * The URL with %{YYYY}, %{MM} and %{dd} replaced by the date in UTC.
 *
 * @param nowMs - Unix milliseconds
 */
export function expandUrl(template: string, nowMs: number): string {
  const date = new Date(nowMs)
  return template.replace(MACRO, (macro, name: string) => MACROS.get(name)?.(date) ?? macro)
}

/** What is wrong with the template, as the end of a sentence that begins with the URL; undefined if nothing is. */
export function urlTemplateProblem(template: string): string | undefined {
  // WHATWG URLs forgive these silently; here they would make the text differ from what is used.
  if (/[\s\\]/.test(template)) return 'contains a blank or a backslash'
  if (!/^https?:\/\/[^/]/i.test(template)) return 'must begin with http:// or https://'
  for (const [macro, name = ''] of template.matchAll(MACRO)) {
    if (!MACROS.has(name)) return `has the unknown macro ${macro}; there are %{YYYY}, %{MM} and %{dd}`
  }
  const [authority = ''] = /^https?:\/\/[^/?#]*/i.exec(template) ?? []
  if (authority.includes('%{')) return 'has a macro before its path: the server must be the same every day'
  const url = URL.parse(expandUrl(template, 0))
  if (url === null) return 'is not a valid URL'
  return hasValidCredentials(url) ? undefined : 'has credentials that are not valid percent-encoding'
}

function hasValidCredentials(url: URL): boolean {
  try {
    decodeURIComponent(url.username + url.password)
    return true
  } catch {
    // The only error there is: a stray % or bytes that are no UTF-8.
    return false
  }
}
