/**
 * The form in which an address is looked up in a GeoIP file. Pure.
 */
import { isIPv4, isIPv6 } from 'node:net'
import ipaddr from 'ipaddr.js'

/**
 * An address as the files know it: without a zone, and an IPv4 address inside an IPv6 one (`::ffff:1.2.3.4`) as IPv4.
 * Undefined for what is no address, and for IPv6 in a file that has only IPv4: there is nothing to find.
 */
export function lookupAddress(address: string, ipVersion: 4 | 6): string | undefined {
  if (isIPv4(address)) return address
  if (!isIPv6(address)) return undefined
  const zone = address.indexOf('%')
  const plain = zone === -1 ? address : address.slice(0, zone)
  const mapped = /ffff:/i.test(plain) ? mappedIPv4(plain) : undefined
  if (mapped !== undefined) return mapped
  return ipVersion === 6 ? plain : undefined
}

function mappedIPv4(address: string): string | undefined {
  const parsed = ipaddr.IPv6.parse(address)
  return parsed.isIPv4MappedAddress() ? parsed.toIPv4Address().toString() : undefined
}
