/**
 * URLs as they may be shown to people. Pure; used on every thread that talks to other systems.
 */

/** An authority with credentials: everything up to the last @ before the path, query or fragment begins. */
const CREDENTIALS = /^([a-z][a-z0-9+.-]*:\/\/)[^/?#\\]*@/i

/**
 * The URL without its user name and password, which become `***`. Works for text that is no valid URL too, since that is
 * when URLs get into error messages. Macros such as `%{YYYY}` stay as they are.
 */
export function redactUrl(url: string): string {
  if (!url.includes('@')) return url
  const redacted = url.replace(CREDENTIALS, '$1***@')
  const parsed = URL.parse(redacted)
  // Where no authority begins with //, anything before the last @ may be credentials.
  if (parsed === null || !isHttp(parsed)) return `***@${url.slice(url.lastIndexOf('@') + 1)}`
  if ((parsed.username === '' || parsed.username === '***') && parsed.password === '') return redacted
  // The parser sees credentials where the pattern did not: "http:/user:pass@host" and such.
  parsed.username = '***'
  parsed.password = ''
  return parsed.href
}

function isHttp({ protocol }: URL): boolean {
  return protocol === 'http:' || protocol === 'https:'
}
