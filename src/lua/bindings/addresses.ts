/**
 * Addresses, netmasks and groups of netmasks in Lua.
 */
import { ComboAddress, parseComboAddress } from '../../login/combo-address.ts'
import { Netmask, netmaskOf, parseNetmask } from '../../login/netmask.ts'
import { NetmaskGroup } from '../../login/netmask-group.ts'
import type { HostCall, HostFunction, HostType } from '../host-function.ts'

export function addressFunctions(): readonly HostFunction[] {
  return [
    {
      name: 'newCA',
      usage: 'newCA(address)',
      summary: 'Makes a ComboAddress from the text of an IPv4 or IPv6 address, with or without a port.',
      scope: 'anywhere',
      run(call) {
        const text = call.string(1, 'address')
        return parseComboAddress(text) ?? call.fail(`${JSON.stringify(text)} is no IP address`)
      },
    },
    {
      name: 'newNetmask',
      usage: 'newNetmask(netmask)',
      summary: 'Makes a Netmask from ADDRESS/BITS.',
      scope: 'anywhere',
      run: (call) => netmaskArgument(call, 1),
    },
    {
      name: 'newNetmaskFromCA',
      usage: 'newNetmaskFromCA(address, bits)',
      summary: 'Makes the Netmask of a ComboAddress with so many leading bits.',
      scope: 'anywhere',
      run(call) {
        const address = call.object(1, 'address', ComboAddress)
        return netmaskOf(address, call.integer(2, 'bits', { min: 0, max: address.isIPv4() ? 32 : 128 }))
      },
    },
    {
      name: 'newNetmaskGroup',
      usage: 'newNetmaskGroup()',
      summary: 'Makes an empty NetmaskGroup.',
      scope: 'anywhere',
      run: () => new NetmaskGroup(),
    },
  ]
}

export function addressTypes(): readonly HostType[] {
  return [comboAddressType(), netmaskType(), netmaskGroupType()]
}

function comboAddressType(): HostType {
  const self = (call: HostCall): ComboAddress => call.object(1, 'self', ComboAddress)
  return {
    name: 'ComboAddress',
    hostClass: ComboAddress,
    text: String,
    equals: (a, b) => a instanceof ComboAddress && b instanceof ComboAddress && a.equals(b),
    methods: [
      {
        name: 'ComboAddress:tostring',
        usage: 'ca:tostring()',
        summary: 'The address as text, without the port.',
        scope: 'anywhere',
        run: (call) => self(call).toString(),
      },
      {
        name: 'ComboAddress:isIPv4',
        usage: 'ca:isIPv4()',
        summary: 'True for an IPv4 address.',
        scope: 'anywhere',
        run: (call) => self(call).isIPv4(),
      },
      {
        name: 'ComboAddress:isIPv6',
        usage: 'ca:isIPv6()',
        summary: 'True for an IPv6 address.',
        scope: 'anywhere',
        run: (call) => self(call).isIPv6(),
      },
      {
        name: 'ComboAddress:isMappedIPv4',
        usage: 'ca:isMappedIPv4()',
        summary: 'True for an IPv6 address of the form ::ffff:192.0.2.1.',
        scope: 'anywhere',
        run: (call) => self(call).isMappedIPv4(),
      },
    ],
  }
}

function netmaskType(): HostType {
  return {
    name: 'Netmask',
    hostClass: Netmask,
    text: String,
    methods: [
      {
        name: 'Netmask:toStringNetwork',
        usage: 'netmask:toStringNetwork()',
        summary: 'The network as text, ADDRESS/BITS with the host bits cleared.',
        scope: 'anywhere',
        run: (call) => call.object(1, 'self', Netmask).toStringNetwork(),
      },
    ],
  }
}

function netmaskGroupType(): HostType {
  const self = (call: HostCall): NetmaskGroup => call.object(1, 'self', NetmaskGroup)
  return {
    name: 'NetmaskGroup',
    hostClass: NetmaskGroup,
    methods: [
      {
        name: 'NetmaskGroup:addMask',
        usage: 'group:addMask(netmask)',
        summary:
          'Adds a netmask; with a leading ! what it covers does not match. The longest prefix decides.',
        scope: 'anywhere',
        run(call) {
          const mask = call.string(2, 'netmask')
          if (parseNetmask(mask.replace(/^!/, '')) === undefined) refuseMask(call, mask)
          self(call).addMask(mask)
        },
      },
      {
        name: 'NetmaskGroup:match',
        usage: 'group:match(address)',
        summary: 'True when the address is in the group.',
        scope: 'anywhere',
        run: (call) => self(call).match(call.object(2, 'address', ComboAddress)),
      },
      {
        name: 'NetmaskGroup:size',
        usage: 'group:size()',
        summary: 'How many netmasks it holds.',
        scope: 'anywhere',
        run: (call) => self(call).size,
      },
      {
        name: 'NetmaskGroup:clear',
        usage: 'group:clear()',
        summary: 'Removes every netmask.',
        scope: 'anywhere',
        run: (call) => self(call).clear(),
      },
    ],
  }
}

function netmaskArgument(call: HostCall, position: number): Netmask {
  const text = call.string(position, 'netmask')
  return parseNetmask(text) ?? refuseMask(call, text)
}

function refuseMask(call: HostCall, text: string): never {
  return call.fail(`${JSON.stringify(text)} is no netmask; write ADDRESS/BITS, such as 192.0.2.0/24`)
}
