/**
 * Names under which DNS keeps what is known about an address, and which names can be asked for at all. Pure.
 */
import { domainToASCII } from 'node:url'
import ipaddr from 'ipaddr.js'

/** RFC 1035: 255 bytes on the wire are 253 characters. */
const MAX_NAME_LENGTH = 253
const ASKABLE = /^[\u0021-\u007e]+$/

/**
 * The name for the wire: international names in their ASCII form. Undefined when it cannot be asked for. The resolver
 * below would cut a name at a NUL byte and ask for what is before it.
 */
export function askableName(name: string): string | undefined {
  const ascii = ASKABLE.test(name) ? name : domainToASCII(name)
  return ASKABLE.test(ascii) && ascii.length <= MAX_NAME_LENGTH ? ascii.toLowerCase() : undefined
}

/** `4.3.2.1.in-addr.arpa`, or the nibbles under ip6.arpa (RFC 3596); undefined if the text is no address. */
export function pointerName(address: string): string | undefined {
  const reversed = reversedAddress(address)
  if (reversed === undefined) return undefined
  return `${reversed.labels}.${reversed.kind === 'ipv4' ? 'in-addr' : 'ip6'}.arpa`
}

/** The address' reversed octets or nibbles in the zone of a block list (RFC 5782); undefined if it is no address. */
export function blockListName(address: string, zone: string): string | undefined {
  const reversed = reversedAddress(address)
  return reversed === undefined ? undefined : `${reversed.labels}.${zone.replace(/^\.+/, '')}`
}

function reversedAddress(
  address: string,
): { readonly kind: 'ipv4' | 'ipv6'; readonly labels: string } | undefined {
  if (!ipaddr.isValid(address)) return undefined
  // Takes an IPv4 address out of its IPv6 mapping.
  const parsed = ipaddr.process(address)
  const bytes = parsed.toByteArray().toReversed()
  const kind = parsed.kind()
  const labels =
    kind === 'ipv4'
      ? bytes
      : bytes.flatMap((byte) => [byte & 15, byte >> 4].map((nibble) => nibble.toString(16)))
  return { kind, labels: labels.join('.') }
}
