/**
 * Addresses by number: the n-th of a network. Pure.
 */
import { mix } from './random.ts'

/** @param network - CIDR text such as 192.0.2.0/24; @param number - any integer; the same one gives the same address. */
export function addressIn(network: string, number: number): string {
  return network.includes(':')
    ? address6In(network, mix(number, 1), mix(number, 2))
    : address4In(network, number)
}

/** The `line`-th /64 of a network, and in it the address of a device. */
export function address6In(network: string, line: number, device: number): string {
  const [base = '', length = '32'] = network.split('/')
  const [first = '0', second = '0'] = base.replace(/::.*$/, '').split(':')
  const high = (Number.parseInt(first, 16) * 0x10000 + (Number.parseInt(second, 16) || 0)) >>> 0
  // Bits of the first 32 that are free.
  const free = 32 - Number(length)
  const top = free <= 0 ? high : (high | (mix(line, 3) >>> (32 - free))) >>> 0
  const groups = [top >>> 16, top & 0xffff, line >>> 16, line & 0xffff]
  const own = [mix(device, 4), mix(device, 5)].flatMap((word) => [word >>> 16, word & 0xffff])
  return [...groups, ...own].map((group) => group.toString(16)).join(':')
}

function address4In(network: string, number: number): string {
  const [base = '', length = '32'] = network.split('/')
  const start = base.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
  const size = 2 ** (32 - Number(length))
  // Neither the first nor the last one, which no host has.
  const address = size <= 2 ? start : start + 1 + ((number >>> 0) % (size - 2))
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 0xff).join('.')
}
