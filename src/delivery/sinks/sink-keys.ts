/**
 * Reads the keys of one alert sink: each with its type, limits and default. The first mistake is kept, and `done` tells it
 * with the names of sink and key and never with a value that may be secret. Pure; used on the configuration thread to
 * check and on the main thread to build the sink.
 */
import { SecretText } from '../../config/secret-text.ts'
import { parseEndpoint } from '../../config/endpoint.ts'
import type { LuaFunctionMark } from './sink-function.ts'

export type SinkValue = string | number | boolean | readonly string[] | LuaFunctionMark
/** As the configuration gave them. */
export type SinkKeyValues = Readonly<Record<string, SinkValue>>

interface Refusal {
  readonly ok: false
  readonly reason: string
}
export type Parsed<T> = { readonly ok: true; readonly definition: T } | Refusal

export interface Place {
  readonly host: string
  readonly port: number
}

interface NumberKey {
  readonly preset: number
  readonly min: number
  readonly max: number
  readonly unit: string
}

// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
const CONTROL = /[\u0000-\u001f\u007f]/
const MAX_TEXT = 1024
const MAX_LIST = 100

export class SinkKeys {
  readonly #values: ReadonlyMap<string, SinkValue>
  /** In the order in which they were asked for: what the sink takes. */
  readonly #known = new Set<string>()
  #problem: string | undefined = undefined

  constructor(values: SinkKeyValues) {
    this.#values = new Map(Object.entries(values))
  }

  has(key: string): boolean {
    this.#known.add(key)
    return this.#values.has(key)
  }

  /** One line of text without control characters. */
  text(key: string): string | undefined {
    const value = this.#value(key)
    if (value === undefined) return undefined
    const text = typeof value === 'number' ? String(value) : value
    if (typeof text !== 'string' || text === '')
      return this.#refuse(key, 'must be a string that is not empty')
    if (text.length > MAX_TEXT) return this.#refuse(key, `must not be longer than ${MAX_TEXT} characters`)
    return CONTROL.test(text) ? this.#refuse(key, 'must not contain control characters') : text
  }

  /** Text of several lines. */
  longText(key: string, maxLength: number): string | undefined {
    const value = this.#value(key)
    if (value === undefined) return undefined
    if (typeof value !== 'string' || value === '')
      return this.#refuse(key, 'must be a string that is not empty')
    return value.length > maxLength
      ? this.#refuse(key, `must not be longer than ${maxLength} characters`)
      : value
  }

  secret(key: string): SecretText | undefined {
    const text = this.text(key)
    return text === undefined ? undefined : new SecretText(text)
  }

  needed(key: string): string {
    const text = this.text(key)
    if (text === undefined) this.problem(`the key ${key} is missing`)
    return text ?? ''
  }

  choice<const T extends string>(key: string, choices: readonly T[], preset: T): T {
    const value = this.#value(key)
    if (value === undefined) return preset
    const chosen = choices.find((choice) => choice === value)
    if (chosen === undefined) this.#refuse(key, `must be one of ${choices.join(', ')}`)
    return chosen ?? preset
  }

  number(key: string, { preset, min, max, unit }: NumberKey): number {
    const value = this.#value(key)
    if (value === undefined) return preset
    if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value
    this.#refuse(key, `must be a whole number of ${unit} from ${min} to ${max}`)
    return preset
  }

  flag(key: string, preset: boolean): boolean {
    const value = this.#value(key)
    if (value === undefined) return preset
    if (typeof value !== 'boolean') this.#refuse(key, 'must be true or false')
    return value === true
  }

  /** An array of strings, or one string. */
  list(key: string): readonly string[] | undefined {
    const value = this.#value(key)
    if (value === undefined) return undefined
    const list = typeof value === 'string' ? [value] : value
    if (
      typeof list !== 'object' ||
      'luaFunction' in list ||
      list.length === 0 ||
      list.length > MAX_LIST ||
      list.includes('')
    )
      return this.#refuse(key, `must be a string or an array of 1 to ${MAX_LIST} strings`)
    return list
  }

  /** Whether the value is a Lua function; another one is no mistake yet. */
  isFunction(key: string): boolean {
    const value = this.#value(key)
    return typeof value === 'object' && 'luaFunction' in value
  }

  /** Hosts with ports, such as `192.0.2.1`, `log.example.com:514`, `[2001:db8::1]:514`. */
  places(key: string, preset: string | undefined, defaultPort: number): readonly Place[] {
    const list = this.list(key) ?? (preset === undefined ? undefined : [preset])
    if (list === undefined) {
      this.problem(`the key ${key} is missing`)
      return []
    }
    return list.flatMap((text) => {
      const place = parsePlace(text, defaultPort)
      if (place !== undefined) return [place]
      this.#refuse(key, `: ${JSON.stringify(text)} is no HOST or HOST:PORT`)
      return []
    })
  }

  /** Keeps the first. */
  problem(text: string): void {
    this.#problem ??= text
  }

  /** The definition, if every key was right and there were no others. */
  done<T>(name: string, definition: T): Parsed<T> {
    return this.refusal(name) ?? { ok: true, definition }
  }

  /** What was wrong, if something was. */
  refusal(name: string): Refusal | undefined {
    const unknown = [...this.#values.keys()].find((key) => !this.#known.has(key))
    const problem =
      unknown === undefined
        ? this.#problem
        : `it knows no key ${JSON.stringify(unknown)}; it takes ${[...this.#known].join(', ')}`
    if (problem === undefined) return undefined
    return { ok: false, reason: `alert sink ${JSON.stringify(name)}: ${problem}` }
  }

  #value(key: string): SinkValue | undefined {
    this.#known.add(key)
    return this.#values.get(key)
  }

  #refuse(key: string, what: string): undefined {
    this.problem(`${key}${what.startsWith(':') ? '' : ' '}${what}`)
  }
}

/** As `HOST:PORT`, and for people. */
export function placeText({ host, port }: Place): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

const HOST_NAME = /^(?!.*\.\.)[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,252}[A-Za-z0-9_.])?$/

function parsePlace(text: string, defaultPort: number): Place | undefined {
  const endpoint = parseEndpoint(text, defaultPort)
  if (endpoint.ok) return { host: endpoint.host, port: endpoint.port }
  const [, host = '', port] = /^([^:]+)(?::(\d{1,5}))?$/.exec(text) ?? []
  const number = port === undefined ? defaultPort : Number(port)
  return HOST_NAME.test(host) && number >= 1 && number <= 65_535 ? { host, port: number } : undefined
}
