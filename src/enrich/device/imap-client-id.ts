/**
 * Reads what a mail client says about itself with the IMAP command ID (RFC 2971), as Dovecot passes it on. Pure; any
 * text is accepted, since clients write what they like.
 */

/** Names that RFC 2971 section 3.3 defines. */
const FIELD_NAMES: ReadonlySet<string> = new Set([
  'name',
  'version',
  'os',
  'os-version',
  'vendor',
  'support-url',
  'address',
  'date',
  'command',
  'arguments',
  'environment',
])
/** RFC 2971 allows 30 fields. */
const MAX_TOKENS = 200

/**
 * What separates (parentheses and commas too), then a quoted text, the announcement of a literal, or an atom. The end of
 * the input ends a quoted text.
 */
const TOKEN = /[\s(),]*(?:"([^"\\]*(?:\\.[^"\\]*)*)(?:"|\\?$)|\{(\d{1,6})\+?\}\r?\n|([^\s"(),]+))/sy
/** A version at the beginning of a text: 10, 10.0, 128.5.0esr; not the build number 21C62. */
const VERSION = /^\s*v?(\d{1,20})(?:\.(\d{1,20})|(?=$|[\s(;,+_-]))/i

/**
 * The fields, by their names in lower case. NIL stands for a value that the client does not tell: such a field is left
 * out. Of two fields with one name the first counts. When a value is missing, so that names and values no longer pair
 * up, a name that RFC 2971 defines begins a new pair.
 */
export function parseImapClientId(clientId: string): ReadonlyMap<string, string> {
  const tokens = tokensOf(clientId)
  const isOdd = tokens.length % 2 === 1
  const fields = new Map<string, string>()
  let index = 0
  while (index < tokens.length) {
    const name = tokens[index]?.toLowerCase()
    const value = tokens[index + 1]
    const isValueMissing = isOdd && value !== undefined && FIELD_NAMES.has(value.toLowerCase())
    if (name !== undefined && value !== undefined && !isValueMissing && !fields.has(name))
      fields.set(name, value)
    index += isValueMissing ? 1 : 2
  }
  return fields
}

/** Major and minor number of a version text such as `10.0 (3226)`; `''` for what is not there. */
export function versionNumbers(text: string): { readonly major: string; readonly minor: string } {
  const [, major = '', minor = ''] = VERSION.exec(text) ?? []
  return { major, minor }
}

/** The tokens in their order; undefined for NIL. */
function tokensOf(clientId: string): readonly (string | undefined)[] {
  // A copy: the pattern keeps the place where it looks next.
  const pattern = new RegExp(TOKEN)
  const tokens: (string | undefined)[] = []
  while (tokens.length < MAX_TOKENS) {
    const [, quoted, literalLength, atom] = pattern.exec(clientId) ?? []
    if (quoted !== undefined) {
      tokens.push(quoted.replaceAll(/\\(.)/gs, '$1'))
    } else if (literalLength !== undefined) {
      const start = pattern.lastIndex
      pattern.lastIndex += Number(literalLength)
      tokens.push(clientId.slice(start, pattern.lastIndex))
    } else if (atom !== undefined) {
      tokens.push(atom.toUpperCase() === 'NIL' ? undefined : atom)
    } else {
      break
    }
  }
  return tokens
}
