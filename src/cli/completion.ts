/**
 * What the Tab key offers on the console. Pure.
 */

/** As node:readline wants it: what fits, and the part of the line that it would replace. */
export type Completion = [fitting: string[], replaced: string]

/** A text that has begun and not ended, up to the cursor. */
const OPEN_TEXT = /^(?:[^"']|"[^"]*"|'[^']*')*["']([^"']*)$/
/** A name with its table or its object: `string.fo`, `db:twG`. */
const NAME = /[A-Za-z_][\w.]*(?::\w*)?$/

/**
 * @param names - functions and variables; members as `string.format`, methods as `Type:method`, and texts that can be
 *   arguments, such as names of databases, as `"text"`
 */
export function complete(line: string, names: readonly string[]): Completion {
  const text = OPEN_TEXT.exec(line)?.[1]
  if (text !== undefined) return [beginningWith(text, textsFor(line, names)), text]
  const name = NAME.exec(line)?.[0]
  // Behind a closing bracket, say, only the user knows.
  if (name === undefined) return [line.trim() === '' ? callable(names) : [], '']
  const colon = name.indexOf(':')
  if (colon === -1) return [beginningWith(name, callable(names)), name]
  // The type of the object is not known here: methods of all types fit.
  const method = name.slice(colon + 1)
  const methods = names.filter((known) => isName(known) && known.includes(':'))
  return [
    beginningWith(
      method,
      methods.map((known) => known.slice(known.indexOf(':') + 1)),
    ),
    method,
  ]
}

function textsFor(line: string, names: readonly string[]): readonly string[] {
  if (/\bhelp\s*\(?\s*["'][^"']*$/.test(line)) return names.filter(isName)
  return names.filter((name) => !isName(name)).map((name) => name.slice(1, -1))
}

function callable(names: readonly string[]): string[] {
  return names.filter((name) => isName(name) && !name.includes(':'))
}

function isName(name: string): boolean {
  return !name.startsWith('"')
}

function beginningWith(text: string, names: readonly string[]): string[] {
  return [...new Set(names.filter((name) => name.startsWith(text)))].toSorted()
}
