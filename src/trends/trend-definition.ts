/**
 * What a trend database is: windows, fields and their types, limits. Pure; a definition is plain data, made once from the
 * configuration and copied to every thread. Every bound here exists so that a row stays small enough to be rewritten.
 */
import { FIXED_SEED, halfSipHash } from './item-hash.ts'

export const FIELD_TYPES = ['int', 'hll', 'countmin', 'seen', 'last', 'baseline', 'top'] as const
export type FieldType = (typeof FIELD_TYPES)[number]

export interface TrendField {
  readonly name: string
  readonly type: FieldType
  /** 24 bits, from type and name alone: a row finds its fields again whatever else the definition says by then. */
  readonly id: number
}

/** What may be tuned beside windows and fields. */
export interface TrendOptions {
  /** Registers of a grown hll sketch are 2^hllBits: 4..16, standard error 1.04/√(2^hllBits). */
  readonly hllBits: number
  /** A grown countmin sketch over-estimates by at most eps × (sum of all counts) … */
  readonly countMinEps: number
  /** … but for a share gamma of the items. */
  readonly countMinGamma: number
  /** Items that a `seen` field keeps per key. */
  readonly maxItemsPerKey: number
  /** Items that a `top` field keeps per window. */
  readonly topCapacity: number
  /** Bits of an address that count when it is a key. */
  readonly v4Prefix: number
  readonly v6Prefix: number
  /** Rows beyond it go, least recently used first. */
  readonly maxKeys: number
  /** Local time minus UTC, for the hour of week of baselines. */
  readonly utcOffsetMinutes: number
}

export interface TrendDefinition extends TrendOptions {
  readonly name: string
  readonly windowSeconds: number
  readonly windowCount: number
  readonly fields: ReadonlyMap<string, TrendField>
  readonly fieldsById: ReadonlyMap<number, TrendField>
}

export interface TrendDefinitionInput {
  readonly name: string
  readonly windowSeconds: number
  readonly windowCount: number
  /** Field name → type. */
  readonly fields: ReadonlyMap<string, string>
  readonly options?: Partial<TrendOptions>
}

export type DefinitionOutcome =
  | { readonly ok: true; readonly definition: TrendDefinition }
  | { readonly ok: false; readonly reason: string }

export const TREND_DEFAULTS: TrendOptions = {
  hllBits: 12,
  countMinEps: 0.05,
  countMinGamma: 0.2,
  maxItemsPerKey: 256,
  topCapacity: 32,
  v4Prefix: 32,
  v6Prefix: 128,
  maxKeys: 500_000,
  utcOffsetMinutes: 0,
}

const DAY_SECONDS = 86_400
/** `seen`, `last` and `baseline` keep a row at least this long after its last change. */
const LONG_KEEP_SECONDS = 400 * DAY_SECONDS
const MOST_WINDOW_SECONDS = 366 * DAY_SECONDS
export const MOST_WINDOWS = 10_000
/** Windows times windowed fields: what one row may hold at worst. */
const MOST_CELLS = 40_000
const MOST_FIELDS = 64
const MOST_NAME_LENGTH = 64
const CONTROL_CHARACTER = /\p{Cc}/u

const OPTION_RANGES: Readonly<Record<keyof TrendOptions, readonly [lowest: number, highest: number]>> = {
  hllBits: [4, 16],
  countMinEps: [0.001, 1],
  countMinGamma: [0.001, 1],
  maxItemsPerKey: [1, 4096],
  topCapacity: [1, 1024],
  v4Prefix: [0, 32],
  v6Prefix: [0, 128],
  maxKeys: [1, 1_000_000_000],
  utcOffsetMinutes: [-840, 840],
}
const FRACTIONAL_OPTIONS: ReadonlySet<string> = new Set(['countMinEps', 'countMinGamma'])

/** A definition with its defaults, or the sentence that tells the operator what is wrong with it. */
export function parseTrendDefinition(input: TrendDefinitionInput): DefinitionOutcome {
  const options: TrendOptions = { ...TREND_DEFAULTS, ...input.options }
  const reason =
    nameFault('the name of a trend database', input.name) ??
    windowFault(input) ??
    fieldsFault(input) ??
    optionFault(options)
  if (reason !== undefined) return { ok: false, reason }

  const fields = new Map<string, TrendField>()
  const fieldsById = new Map<number, TrendField>()
  for (const [name, typeName] of input.fields) {
    const type = FIELD_TYPES.find((known) => known === typeName)
    if (type === undefined) return { ok: false, reason: unknownType(input.name, name, typeName) }
    const field = { name, type, id: fieldId(name, type) }
    const twin = fieldsById.get(field.id)
    if (twin !== undefined) {
      return {
        ok: false,
        reason: `fields "${twin.name}" and "${name}" share an identifier; rename one of them`,
      }
    }
    fields.set(name, field)
    fieldsById.set(field.id, field)
  }
  const { name, windowSeconds, windowCount } = input
  return { ok: true, definition: { ...options, name, windowSeconds, windowCount, fields, fieldsById } }
}

/** Number of the window that holds a time in Unix seconds. */
export function windowAt(definition: TrendDefinition, timeSeconds: number): number {
  return Math.floor(timeSeconds / definition.windowSeconds)
}

/** How long a row with a `seen`, `last` or `baseline` field is kept after its last change. */
export function longKeepSeconds(definition: TrendDefinition): number {
  return Math.max(LONG_KEEP_SECONDS, definition.windowSeconds * definition.windowCount)
}

/** Whether a field's values are kept per window. */
export function isWindowed(type: FieldType): boolean {
  switch (type) {
    case 'int':
    case 'hll':
    case 'countmin':
    case 'top':
      return true
    case 'seen':
    case 'last':
    case 'baseline':
      return false
  }
  return type satisfies never
}

function fieldId(name: string, type: FieldType): number {
  return halfSipHash(FIXED_SEED, new TextEncoder().encode(`${type}:${name}`)).low & 0xffffff
}

function nameFault(what: string, name: string): string | undefined {
  if (name === '') return `${what} must not be empty`
  if (name.length > MOST_NAME_LENGTH)
    return `${what} has ${name.length} characters; at most ${MOST_NAME_LENGTH} may be used`
  if (!name.isWellFormed()) return `${what} is not well-formed text`
  return CONTROL_CHARACTER.test(name) ? `${what} must not hold control characters` : undefined
}

function windowFault({ name, windowSeconds, windowCount }: TrendDefinitionInput): string | undefined {
  return (
    rangeFault(`window size of trend database "${name}" (seconds)`, windowSeconds, [
      1,
      MOST_WINDOW_SECONDS,
    ]) ?? rangeFault(`number of windows of trend database "${name}"`, windowCount, [1, MOST_WINDOWS])
  )
}

function fieldsFault({ name, fields, windowCount }: TrendDefinitionInput): string | undefined {
  if (fields.size === 0) return `trend database "${name}" needs at least one field`
  if (fields.size > MOST_FIELDS) {
    return `trend database "${name}" has ${fields.size} fields; at most ${MOST_FIELDS} may be used`
  }
  for (const fieldName of fields.keys()) {
    const fault = nameFault(`the name of a field of trend database "${name}"`, fieldName)
    if (fault !== undefined) return fault
  }
  const windowed = [...fields.values()].filter(
    (type) => type !== 'seen' && type !== 'last' && type !== 'baseline',
  )
  const cells = windowed.length * windowCount
  return cells > MOST_CELLS
    ? `trend database "${name}" has ${cells} windows over all of its fields; at most ${MOST_CELLS} may be used: take larger windows`
    : undefined
}

function optionFault(options: TrendOptions): string | undefined {
  for (const [option, range] of Object.entries(OPTION_RANGES)) {
    const value = new Map<string, number>(Object.entries(options)).get(option) ?? Number.NaN
    const fault = rangeFault(option, value, range, FRACTIONAL_OPTIONS.has(option))
    if (fault !== undefined) return fault
  }
  return undefined
}

function rangeFault(
  what: string,
  value: number,
  [lowest, highest]: readonly [number, number],
  mayBeFraction = false,
): string | undefined {
  if (value >= lowest && value <= highest && (mayBeFraction || Number.isInteger(value))) return undefined
  const kind = mayBeFraction ? 'a number' : 'a whole number'
  return `${what} must be ${kind} from ${lowest} to ${highest}, and is ${value}`
}

function unknownType(database: string, field: string, type: string): string {
  return `field "${field}" of trend database "${database}" has the unknown type "${type}"; known are ${FIELD_TYPES.join(', ')}`
}
