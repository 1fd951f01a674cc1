/**
 * The free attributes of a report or a custom endpoint call: an object on the wire, two tables in Lua, one of single
 * values and one of lists. Pure; lives on the threads that take requests.
 */

/** Attributes of one object; more than this is a sender gone wrong, and each of them costs the policy time. */
const MAX_ATTRIBUTES = 1_024
const MAX_LIST_VALUES = 1_024
const MAX_KEY_LENGTH = 1_024
/** UTF-16 units. The body as a whole has a limit in bytes of its own. */
const MAX_VALUE_LENGTH = 65_536

type SingleValues = Readonly<Record<string, string>>
type ValueLists = Readonly<Record<string, readonly string[]>>

export interface Attributes {
  readonly attrs: SingleValues
  readonly attrs_mv: ValueLists
}

/** Shared by all that have none, which is most of them; a new object without prototype costs ten times as much. */
const NO_VALUES: Readonly<Record<string, never>> = Object.freeze(emptyRecord<never>())
const NO_ATTRIBUTES: Attributes = Object.freeze({ attrs: NO_VALUES, attrs_mv: NO_VALUES })

/**
 * Splits an `attrs` object: strings are single values, arrays are lists whose members that are no strings become ''.
 * Values of other types are left out. Nothing (undefined, null) is no attributes, and so is an empty array, which is
 * what PHP makes of an empty map.
 *
 * @param name of the field, for the reason.
 * @returns a sentence saying what is wrong, if something is.
 */
export function readAttributes(name: string, value: unknown): Attributes | string {
  if (isNothing(value)) return NO_ATTRIBUTES
  if (!isObject(value)) return `The field ${name} must be an object`
  const keys = Object.keys(value)
  const problem = keysProblem(name, keys)
  if (problem !== undefined) return problem
  const attrs = emptyRecord<string>()
  const lists = emptyRecord<readonly string[]>()
  for (const key of keys) {
    const member = value[key]
    if (typeof member === 'string') {
      if (member.length > MAX_VALUE_LENGTH) return valueTooLong(name)
      attrs[key] = member
    } else if (Array.isArray(member)) {
      const list = readList(name, member)
      if (typeof list === 'string') return list
      lists[key] = list
    }
  }
  return { attrs, attrs_mv: lists }
}

/**
 * The strings of a `device_attrs` object; values of other types are left out.
 *
 * @returns a sentence saying what is wrong, if something is.
 */
export function readStringAttributes(name: string, value: unknown): SingleValues | string {
  if (isNothing(value)) return NO_VALUES
  if (!isObject(value)) return `The field ${name} must be an object`
  const keys = Object.keys(value)
  const problem = keysProblem(name, keys)
  if (problem !== undefined) return problem
  const attrs = emptyRecord<string>()
  for (const key of keys) {
    const member = value[key]
    if (typeof member !== 'string') continue
    if (member.length > MAX_VALUE_LENGTH) return valueTooLong(name)
    attrs[key] = member
  }
  return attrs
}

/** A map without a prototype, in which a key named `__proto__` is one like any other. */
export function emptyRecord<T>(): Record<string, T> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Object.create is typed any; an empty map is one of anything
  return Object.create(null) as Record<string, T>
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isNothing(value: unknown): boolean {
  return value === undefined || value === null || (Array.isArray(value) && value.length === 0)
}

function keysProblem(name: string, keys: readonly string[]): string | undefined {
  if (keys.length > MAX_ATTRIBUTES) return `The field ${name} may have at most ${MAX_ATTRIBUTES} members`
  for (const key of keys) {
    if (key.length > MAX_KEY_LENGTH) {
      return `The field ${name} has a member whose name is longer than ${MAX_KEY_LENGTH} characters`
    }
  }
  return undefined
}

function readList(name: string, members: readonly unknown[]): readonly string[] | string {
  if (members.length > MAX_LIST_VALUES) {
    return `The field ${name} has a list of more than ${MAX_LIST_VALUES} values`
  }
  const list = members.map((member) => (typeof member === 'string' ? member : ''))
  return list.some((text) => text.length > MAX_VALUE_LENGTH) ? valueTooLong(name) : list
}

function valueTooLong(name: string): string {
  return `The field ${name} has a value longer than ${MAX_VALUE_LENGTH} characters`
}
