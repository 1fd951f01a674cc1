/**
 * A table of named values as the one argument of a function: each is read by its name, with checks that say what is
 * wrong, and a name that the function does not know is a mistake.
 */
import { isSeverity, SEVERITIES, type Severity } from '../../alerts/severity.ts'
import { parseTimeSpan, SPAN_HINT } from '../../alerts/time-span.ts'
import { isLongerThan } from '../../login/byte-string.ts'
import type { HostCall } from '../host-function.ts'
import { isLuaArray, isLuaTable, type LuaValue } from '../lua-value.ts'
import { formatNumber } from '../numbers.ts'

interface TextLimits {
  readonly maxBytes: number
}

export class TableArgument {
  readonly #call: HostCall
  readonly #function: string
  readonly #values: ReadonlyMap<string, LuaValue>

  /** @param names all that the function knows */
  constructor(call: HostCall, functionName: string, names: readonly string[]) {
    this.#call = call
    this.#function = functionName
    this.#values = call.record(1, 'table')
    for (const name of this.#values.keys()) {
      if (!names.includes(name))
        this.fail(`there is no ${JSON.stringify(name)}; it takes ${names.join(', ')}`)
    }
  }

  fail(message: string): never {
    return this.#call.fail(`${this.#function}: ${message}`)
  }

  value(name: string): LuaValue {
    return this.#values.get(name)
  }

  optionalText(name: string, { maxBytes }: TextLimits): string | undefined {
    const value = this.value(name)
    if (value === undefined || value === null) return undefined
    const text = typeof value === 'number' ? formatNumber(value) : value
    if (typeof text !== 'string') return this.fail(`${name} must be a string`)
    return isLongerThan(text, maxBytes) ? this.fail(`${name} is longer than ${maxBytes} bytes`) : text
  }

  text(name: string, limits: TextLimits): string {
    const text = this.optionalText(name, limits)
    return text === undefined || text === '' ? this.fail(`${name} is missing`) : text
  }

  optionalNumber(name: string): number | undefined {
    const value = this.value(name)
    if (value === undefined || value === null) return undefined
    if (typeof value !== 'number' || !Number.isFinite(value))
      return this.fail(`${name} must be a finite number`)
    return value
  }

  optionalBoolean(name: string): boolean | undefined {
    const value = this.value(name)
    if (value === undefined || value === null) return undefined
    return typeof value === 'boolean' ? value : this.fail(`${name} must be true or false`)
  }

  optionalSeverity(name: string): Severity | undefined {
    const value = this.value(name)
    if (value === undefined || value === null || isSeverity(value)) return value ?? undefined
    return this.fail(`${name} must be one of ${SEVERITIES.join(', ')}`)
  }

  /** Milliseconds of a time span: a number is seconds. */
  optionalSpan(name: string, leastMs: number): number | undefined {
    const value = this.value(name)
    if (value === undefined || value === null) return undefined
    const spanMs =
      typeof value === 'number' ? value * 1000 : typeof value === 'string' ? parseTimeSpan(value) : undefined
    if (spanMs === undefined || !Number.isFinite(spanMs))
      return this.fail(`${name} must be a time span: ${SPAN_HINT}`)
    return spanMs < leastMs
      ? this.fail(`${name} must be at least ${formatNumber(leastMs / 1000)} seconds`)
      : spanMs
  }

  /** A string is a list of one. */
  optionalTexts(name: string): readonly string[] | undefined {
    const value = this.value(name)
    if (value === undefined || value === null) return undefined
    if (typeof value === 'string') return [value]
    if (isLuaTable(value) && value.size === 0) return []
    const texts = isLuaArray(value) ? value.filter((item) => typeof item === 'string') : []
    return isLuaArray(value) && texts.length === value.length
      ? texts
      : this.fail(`${name} must be an array of strings`)
  }
}
