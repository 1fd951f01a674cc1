/**
 * From the target of a request to the path of a route. Pure; lives on the threads that take requests.
 * Routes are plain words, so whatever else a client sends goes to one path that no route has: nothing behind this sees
 * a hostile path.
 */

/** What every target that names nothing becomes. */
export const NOWHERE = '/nowhere'

const COMMAND_PATH = '/command/'
/** RFC 9112 section 3.2.2: a server must take the form with scheme and authority. */
const ABSOLUTE_FORM = /^https?:\/\/[^/?#]*/i
/** The query that senders use. */
const PLAIN_QUERY = /^command=([\w.~-]+)$/
/** Paths that are not commands. */
const OTHER_PATHS: ReadonlySet<string> = new Set(['/metrics', '/openapi.json'])
/** Longer names are nobody's. UTF-16 units, decoded. */
const MAX_NAME_LENGTH = 256
/** Names that may stand in a path as they are; others are encoded for the router. */
const PLAIN_NAME = /^[\w.~-]+$/

/**
 * The path of the route that a request target means: `/command/NAME` as it is, the old form `/?command=NAME` with its
 * parameters in any order as `/command/NAME`, further paths that exist as they are, anything else as NOWHERE. A query
 * after a path is left out.
 */
export function routePathOf(target: string): string {
  const local = target.startsWith('/') ? target : withoutAuthority(target)
  const question = local.indexOf('?')
  const path = question === -1 ? local : local.slice(0, question)
  if (path === '/') return question === -1 ? NOWHERE : commandPath(commandOfQuery(local.slice(question + 1)))
  const decoded = path.includes('%') ? decode(path) : path
  if (decoded.startsWith(COMMAND_PATH)) return commandPath(decoded.slice(COMMAND_PATH.length))
  return OTHER_PATHS.has(decoded) ? decoded : NOWHERE
}

function withoutAuthority(target: string): string {
  const rest = target.replace(ABSOLUTE_FORM, '')
  return rest.startsWith('/') ? rest : `/${rest}`
}

function commandOfQuery(query: string): string {
  const plain = PLAIN_QUERY.exec(query)?.[1]
  return plain ?? new URLSearchParams(query).get('command') ?? ''
}

function commandPath(name: string): string {
  if (name.length > MAX_NAME_LENGTH) return NOWHERE
  if (PLAIN_NAME.test(name)) return name === '.' || name === '..' ? NOWHERE : COMMAND_PATH + name
  return name === '' || !name.isWellFormed() ? NOWHERE : COMMAND_PATH + encodeURIComponent(name)
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch (error) {
    // The only error there is: an escape that is no UTF-8.
    return error instanceof URIError ? NOWHERE : path
  }
}
