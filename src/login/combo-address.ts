/**
 * Addresses of clients: parsing, canonical text, equality. Pure; used on every thread, and in Lua as ComboAddress.
 * It accepts only what can mean one thing: no octal, hexadecimal or shortened IPv4.
 */
import { isIPv4, isIPv6 } from 'node:net'

/** An address with brackets, port and the longest interface name is shorter; longer text is not looked at. */
const MAX_TEXT_LENGTH = 128
const PORT = /^(?:0|[1-9]\d{0,4})$/
const MAX_PORT = 65_535
const MAPPED_PREFIX = '::ffff:'

/** An IP address and perhaps a port. Immutable. */
export class ComboAddress {
  /** Canonical text (RFC 5952 for IPv6, with the zone id if there is one), without the port. */
  readonly address: string
  /** 0 if none was given. */
  readonly port: number
  readonly family: 4 | 6
  /** Computed when first asked for; few addresses are ever matched against a netmask. */
  #words: readonly number[] | undefined = undefined

  /** Use `parseComboAddress`: this trusts that the address is canonical. */
  constructor(address: string, port: number, family: 4 | 6) {
    this.address = address
    this.port = port
    this.family = family
  }

  isIPv4(): boolean {
    return this.family === 4
  }

  /** True for ::ffff:192.0.2.1 too, which is an IPv6 address. */
  isIPv6(): boolean {
    return this.family === 6
  }

  isMappedIPv4(): boolean {
    return this.family === 6 && this.address.startsWith(MAPPED_PREFIX) && this.address.includes('.')
  }

  /** The plain IPv4 address of ::ffff:192.0.2.1, with the same port; any other address is its own. */
  unmapped(): ComboAddress {
    if (!this.isMappedIPv4()) return this
    const end = this.address.indexOf('%')
    return new ComboAddress(
      this.address.slice(MAPPED_PREFIX.length, end === -1 ? undefined : end),
      this.port,
      4,
    )
  }

  /** The address in 16-bit words, first one first: two for IPv4, eight for IPv6. The zone id has no part in it. */
  words(): readonly number[] {
    this.#words ??= this.family === 4 ? ipv4Words(this.address) : ipv6Words(this.address)
    return this.#words
  }

  /** Same address, zone id and port. */
  equals(other: ComboAddress): boolean {
    return this.address === other.address && this.port === other.port
  }

  /** The address without the port. */
  toString(): string {
    return this.address
  }
}

/**
 * Reads `192.0.2.1`, `192.0.2.1:55`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:99`, each IPv6 form also with a
 * zone id (`fe80::1%eth0`). A mapped address stays mapped; see `unmapped`.
 *
 * @returns undefined when the text is no address.
 */
export function parseComboAddress(text: string): ComboAddress | undefined {
  if (isIPv4(text)) return new ComboAddress(text, 0, 4)
  if (text.length > MAX_TEXT_LENGTH) return undefined
  if (text.startsWith('[')) return parseBracketed(text)
  const colon = text.indexOf(':')
  if (colon === -1) return undefined
  if (text.includes('.') && colon === text.lastIndexOf(':')) {
    const port = parsePort(text.slice(colon + 1))
    const address = text.slice(0, colon)
    return port !== undefined && isIPv4(address) ? new ComboAddress(address, port, 4) : undefined
  }
  return parseIPv6(text, 0)
}

function parseBracketed(text: string): ComboAddress | undefined {
  const end = text.indexOf(']')
  if (end === -1) return undefined
  const address = text.slice(1, end)
  if (end === text.length - 1) return parseIPv6(address, 0)
  if (text[end + 1] !== ':') return undefined
  const port = parsePort(text.slice(end + 2))
  return port === undefined ? undefined : parseIPv6(address, port)
}

function parsePort(text: string): number | undefined {
  if (!PORT.test(text)) return undefined
  const port = Number(text)
  return port <= MAX_PORT ? port : undefined
}

function parseIPv6(text: string, port: number): ComboAddress | undefined {
  if (!isIPv6(text)) return undefined
  const percent = text.indexOf('%')
  const zone = percent === -1 ? '' : text.slice(percent)
  return new ComboAddress(canonicalIPv6(percent === -1 ? text : text.slice(0, percent)) + zone, port, 6)
}

/**
 * RFC 5952 text. A URL's host is serialised by the same rules but for section 5, the dotted end of mapped addresses
 * (https://url.spec.whatwg.org/#concept-ipv6-serializer), and natively: six times faster than doing it here.
 */
function canonicalIPv6(text: string): string {
  const canonical = new URL(`http://[${text}]`).hostname.slice(1, -1)
  if (!canonical.startsWith(MAPPED_PREFIX)) return canonical
  const [high, low, ...rest] = canonical.slice(MAPPED_PREFIX.length).split(':')
  if (high === undefined || low === undefined || rest.length > 0) return canonical
  const [a, b] = [Number.parseInt(high, 16), Number.parseInt(low, 16)]
  return `${MAPPED_PREFIX}${a >> 8}.${a & 0xff}.${b >> 8}.${b & 0xff}`
}

function ipv4Words(address: string): readonly number[] {
  const [a, b, c, d] = address.split('.').map(Number)
  return [((a ?? 0) << 8) | (b ?? 0), ((c ?? 0) << 8) | (d ?? 0)]
}

function ipv6Words(address: string): readonly number[] {
  const percent = address.indexOf('%')
  const text = percent === -1 ? address : address.slice(0, percent)
  const [left = '', right] = text.split('::')
  const head = wordsOfGroups(left)
  if (right === undefined) return head
  const tail = wordsOfGroups(right)
  return [...head, ...Array.from({ length: 8 - head.length - tail.length }, () => 0), ...tail]
}

function wordsOfGroups(text: string): number[] {
  if (text === '') return []
  return text
    .split(':')
    .flatMap((group) => (group.includes('.') ? ipv4Words(group) : Number.parseInt(group, 16)))
}

/** The canonical address of 16-bit words as `ComboAddress.words` gives them, without a port. */
export function addressOfWords(words: readonly number[]): ComboAddress {
  if (words.length === 2) {
    const [a = 0, b = 0] = words
    return new ComboAddress(`${a >> 8}.${a & 0xff}.${b >> 8}.${b & 0xff}`, 0, 4)
  }
  return new ComboAddress(canonicalIPv6(words.map((word) => word.toString(16)).join(':')), 0, 6)
}
