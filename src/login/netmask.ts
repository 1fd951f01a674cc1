/**
 * Netmasks: a network address and how many of its leading bits count. Pure; used on every thread, and in Lua as Netmask.
 */
import { addressOfWords, parseComboAddress, type ComboAddress } from './combo-address.ts'

const BITS = /^(?:0|[1-9]\d{0,2})$/
const WORD_BITS = 16
/** Where the IPv4 address begins in ::ffff:192.0.2.1. */
const MAPPED_BITS = 96
const MAPPED_WORDS = MAPPED_BITS / WORD_BITS

/** A network. Immutable. */
export class Netmask {
  /** The network's first address: host bits are cleared. */
  readonly network: ComboAddress
  /** 0 to 32 for IPv4, 0 to 128 for IPv6. */
  readonly bits: number
  /**
   * What addresses are compared with. A part of ::ffff:0:0/96 is the IPv4 network that it stands for, so that it does
   * not matter which way either side is written.
   */
  readonly #words: readonly number[]
  readonly #wordBits: number

  /** Use `parseNetmask` or `netmaskOf`: this trusts that the bits fit the family. */
  constructor(address: ComboAddress, bits: number) {
    const words = maskedWords(address.words(), bits)
    this.network = addressOfWords(words)
    this.bits = bits
    const isMapped = this.network.isMappedIPv4() && bits >= MAPPED_BITS
    this.#words = isMapped ? words.slice(MAPPED_WORDS) : words
    this.#wordBits = isMapped ? bits - MAPPED_BITS : bits
  }

  /** Whether the address is in this network. ::ffff:192.0.2.1 is looked at as 192.0.2.1. */
  contains(address: ComboAddress): boolean {
    const words = address.unmapped().words()
    return words.length === this.#words.length && keyOf(words, this.#wordBits) === this.key()
  }

  /** Length of the prefix that `key` stands for. */
  keyBits(): number {
    return this.#wordBits
  }

  /** Networks of the same family and `keyBits` are the same when their keys are equal; see `keyOf`. */
  key(): string {
    return keyOf(this.#words, this.#wordBits)
  }

  /** 4 if it can contain IPv4 addresses, else 6. */
  keyFamily(): 4 | 6 {
    return this.#words.length === 2 ? 4 : 6
  }

  /** ADDRESS/BITS with the host bits cleared. */
  toStringNetwork(): string {
    return `${this.network.address}/${this.bits}`
  }

  toString(): string {
    return this.toStringNetwork()
  }
}

/**
 * Reads `10.0.0.0/8`, `2001:db8::/32`, or an address alone, which is a network of one. Host bits may be set; a port or
 * a zone id may not be there.
 *
 * @returns undefined when the text is no netmask.
 */
export function parseNetmask(text: string): Netmask | undefined {
  if (text.startsWith('[') || text.includes('%')) return undefined
  const slash = text.indexOf('/')
  const address = parseComboAddress(slash === -1 ? text : text.slice(0, slash))
  if (address === undefined || hasPort(text, address)) return undefined
  if (slash === -1) return new Netmask(address, fullBits(address))
  const bitsText = text.slice(slash + 1)
  const bits = Number(bitsText)
  return BITS.test(bitsText) && bits <= fullBits(address) ? new Netmask(address, bits) : undefined
}

/**
 * The network of an address with so many leading bits: 0 to 32 for IPv4, 0 to 128 for IPv6.
 *
 * @throws RangeError for other bits: callers check what users give them.
 */
export function netmaskOf(address: ComboAddress, bits: number): Netmask {
  if (!Number.isInteger(bits) || bits < 0 || bits > fullBits(address)) {
    throw new RangeError(`A netmask of ${address.address} has 0 to ${fullBits(address)} bits, not ${bits}`)
  }
  return new Netmask(address, bits)
}

/** The leading bits of an address as text for a map: one UTF-16 unit for every word that has a part in them. */
export function keyOf(words: readonly number[], bits: number): string {
  let key = ''
  let left = bits
  for (const word of words) {
    if (left <= 0) break
    key += String.fromCharCode(left >= WORD_BITS ? word : word & (0xffff << (WORD_BITS - left)))
    left -= WORD_BITS
  }
  return key
}

function maskedWords(words: readonly number[], bits: number): readonly number[] {
  return words.map((word, index) => {
    const left = bits - index * WORD_BITS
    if (left >= WORD_BITS) return word
    return left <= 0 ? 0 : word & (0xffff << (WORD_BITS - left)) & 0xffff
  })
}

function fullBits(address: ComboAddress): number {
  return address.isIPv4() ? 32 : 128
}

/** An IPv4 address with a port has a colon; without brackets no IPv6 address has a port. */
function hasPort(text: string, address: ComboAddress): boolean {
  return address.isIPv4() && text.includes(':')
}
