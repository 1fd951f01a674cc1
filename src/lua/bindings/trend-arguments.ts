/**
 * What the methods of StringStatsDB have in common: which row and which field a call means, and how keys, items and
 * numbers from Lua become what trends are made of. Lives in one Lua state. Keys and items are normalised here and nowhere
 * else.
 */
import { textToBytes } from '../../login/byte-string.ts'
import { ComboAddress } from '../../login/combo-address.ts'
import { netmaskOf } from '../../login/netmask.ts'
import { normalizeKey } from '../../trends/normalize-key.ts'
import type { FieldType, TrendDefinition, TrendField } from '../../trends/trend-definition.ts'
import type { HostCall } from '../host-function.ts'
import { parseNumber } from '../numbers.ts'
import type { RunContext } from '../run-context.ts'
import { StringStatsDb } from './string-stats-db.ts'

/** Networks whose bytes are kept; when it is full it starts anew. */
const MOST_NETWORKS = 4096
/** Constants of a configuration; names that it puts together are other bytes each time. */
const MOST_FIELD_NAMES = 256

/** The row that a call reads or changes, and the run on whose behalf. */
export interface TrendRowTarget {
  /** Name of the method, for messages. */
  readonly method: string
  readonly run: RunContext
  readonly definition: TrendDefinition
  readonly key: Uint8Array
}

export interface TrendTarget extends TrendRowTarget {
  readonly field: TrendField
}

/** The functions with which a field of each type is read. */
const READERS: Readonly<Record<FieldType, string>> = {
  int: 'twGet, twGetCurrent or twGetWindows',
  hll: 'twGet, twGetCurrent or twGetWindows',
  countmin: 'twGet, twGetCurrent or twGetWindows',
  seen: 'twSeen or twItems',
  last: 'twLast',
  baseline: 'twBaseline or twScore',
  top: 'twTop',
}

/** Reads the arguments of calls. One for each Lua state: it keeps the text of networks that come again and again. */
export class TrendArguments {
  readonly #networks = new Map<string, Uint8Array>()
  /** Fields by the bytes of a name, which are the same array whenever Lua comes by the same constant. */
  readonly #fields = new Map<
    Uint8Array,
    { readonly definition: TrendDefinition; readonly field: TrendField }
  >()
  /** A run uses one address again and again. */
  #latest: { readonly address: ComboAddress; readonly bits: number; readonly key: Uint8Array } | undefined

  /** Self at position 1 and the key at position 2. Raises a Lua error outside a run. */
  row(call: HostCall, method: string): TrendRowTarget {
    const { definition } = call.object(1, 'self', StringStatsDb)
    return { method, run: runOf(call, method), definition, key: this.key(call, method, definition) }
  }

  /** `row`, and the field's name at position 3. */
  field(call: HostCall, method: string): TrendTarget {
    const { definition } = call.object(1, 'self', StringStatsDb)
    const run = runOf(call, method)
    const key = this.key(call, method, definition)
    return { method, run, definition, key, field: this.#field(call, method, definition) }
  }

  #field(call: HostCall, method: string, definition: TrendDefinition): TrendField {
    const bytes = call.bytesIf(3)
    const latest = bytes === undefined ? undefined : this.#fields.get(bytes)
    if (latest?.definition === definition) return latest.field
    const name = call.string(3, 'field')
    const field = definition.fields.get(name)
    if (field === undefined) {
      const known = Array.from(definition.fields.keys(), (other) => `"${other}"`).join(', ')
      return call.fail(
        `${method}: trend database "${definition.name}" has no field "${name}"; it has ${known}`,
      )
    }
    if (this.#fields.size >= MOST_FIELD_NAMES) this.#fields.clear()
    if (bytes !== undefined) this.#fields.set(bytes, { definition, field })
    return field
  }

  /** `field`, of one of the types that the method reads. */
  readable(call: HostCall, method: string, types: readonly FieldType[]): TrendTarget {
    const target = this.field(call, method)
    const { type } = target.field
    return types.includes(type)
      ? target
      : call.fail(`${subjectOf(target)} is of type ${type}, which is read with ${READERS[type]}`)
  }

  /** The bytes of the key at position 2. An address is the network that the database's prefix makes of it: `192.0.2.0/24`. */
  key(call: HostCall, method: string, definition: TrendDefinition): Uint8Array {
    const address = call.objectIf(2, ComboAddress)
    if (address !== undefined) return this.#addressKey(address, definition)
    const bytes = call.bytesIf(2)
    if (bytes !== undefined) return normalizeKey(bytes)
    return call.fail(
      `${method}: a key of trend database "${definition.name}" must be a string, a number or a ComboAddress, not ${call.describe(2)}`,
    )
  }

  #addressKey(address: ComboAddress, { v4Prefix, v6Prefix }: TrendDefinition): Uint8Array {
    const plain = address.unmapped()
    const bits = plain.isIPv4() ? v4Prefix : v6Prefix
    if (this.#latest?.address === address && this.#latest.bits === bits) return this.#latest.key
    const key = this.#networkKey(plain, bits)
    this.#latest = { address, bits, key }
    return key
  }

  #networkKey(address: ComboAddress, bits: number): Uint8Array {
    const name = `${address.address}/${bits}`
    const known = this.#networks.get(name)
    if (known !== undefined) return known
    const made = textToBytes(netmaskOf(address, bits).toStringNetwork())
    if (this.#networks.size >= MOST_NETWORKS) this.#networks.clear()
    this.#networks.set(name, made)
    return made
  }
}

/** The run on whose behalf a call is made; raises a Lua error while the configuration file itself is executed. */
export function runOf(call: HostCall, method: string): RunContext {
  return (
    call.run ??
    call.fail(
      `${method} can only be used inside report, background and endpoint functions: while the configuration is read there is no data`,
    )
  )
}

/** An item: a string, a number's text, or the whole address of a ComboAddress. */
export function itemArgument(call: HostCall, position: number, target: TrendTarget): Uint8Array {
  const address = call.objectIf(position, ComboAddress)
  if (address !== undefined) return normalizeKey(textToBytes(address.unmapped().address))
  const bytes = call.bytesIf(position)
  if (bytes !== undefined) return normalizeKey(bytes)
  return call.fail(
    `${subjectOf(target)}: an item must be a string, a number or a ComboAddress, not ${call.describe(position)}`,
  )
}

/** A finite number, or a string that is one. */
export function amountArgument(call: HostCall, position: number, target: TrendTarget): number {
  const value = call.value(position)
  const amount = typeof value === 'string' ? parseNumber(textToBytes(value)) : value
  if (typeof amount === 'number' && Number.isFinite(amount)) return amount
  const isShown = typeof value === 'string' || typeof value === 'number'
  const got = isShown ? JSON.stringify(String(value)) : call.describe(position)
  return call.fail(
    `${subjectOf(target)} is of type ${target.field.type} and takes a finite number, not ${got}`,
  )
}

/** How often, or how much: a finite number that is not negative; 1 if there is none. */
export function countArgument(call: HostCall, position: number, target: TrendTarget): number {
  if (isAbsent(call, position)) return 1
  const count = amountArgument(call, position, target)
  return count >= 0 ? count : call.fail(`${subjectOf(target)} takes no negative count`)
}

export function isAbsent(call: HostCall, position: number): boolean {
  return call.argumentCount < position || call.value(position) === undefined
}

/** How messages begin. */
export function subjectOf({ method, definition, field }: TrendTarget): string {
  return `${method}: field "${field.name}" of trend database "${definition.name}"`
}
