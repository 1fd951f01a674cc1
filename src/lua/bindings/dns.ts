/**
 * wforce's DNS functions. Other runs go on while a query waits.
 */
import { DnsResolver } from '../../lookup/dns-resolver.ts'
import { ComboAddress } from '../../login/combo-address.ts'
import type { HostCall, HostFunction, HostType } from '../host-function.ts'

const DNS_PORT = 53
const TIMEOUT_MS = { min: 1, max: 30_000 } as const
const RETRIES = { min: 0, max: 10 } as const

export interface DnsDeps {
  /** Makes a resolver under a name; the same one when the name is taken. */
  readonly open: (name: string) => DnsResolver
  readonly find: (name: string) => DnsResolver | undefined
}

export function dnsFunctions(deps: DnsDeps): readonly HostFunction[] {
  return [
    {
      name: 'newDNSResolver',
      usage: 'newDNSResolver(name)',
      summary: 'Makes a DNS resolver; it asks the servers of the system until addResolver names others.',
      scope: 'registration',
      run: (call) => deps.open(call.string(1, 'name')),
    },
    {
      name: 'getDNSResolver',
      usage: 'getDNSResolver(name)',
      summary: 'The DNS resolver that newDNSResolver made under this name.',
      scope: 'anywhere',
      run(call) {
        const name = call.string(1, 'name')
        return (
          deps.find(name) ??
          call.fail(`there is no DNS resolver ${JSON.stringify(name)}; make it with newDNSResolver`)
        )
      },
    },
  ]
}

export function dnsResolverType(): HostType {
  const self = (call: HostCall): DnsResolver => call.object(1, 'self', DnsResolver)
  const retries = (call: HostCall, position: number): number | undefined =>
    call.optionalNumber(position, 'retries', RETRIES)
  return {
    name: 'DNSResolver',
    hostClass: DnsResolver,
    methods: [
      {
        name: 'DNSResolver:addResolver',
        usage: 'resolver:addResolver(address, port)',
        summary: 'Adds a DNS server, port 53 unless given.',
        scope: 'registration',
        run(call) {
          const port = call.optionalNumber(3, 'port', { min: 1, max: 65_535 }) ?? DNS_PORT
          self(call).addResolver(call.string(2, 'address'), port)
        },
      },
      {
        name: 'DNSResolver:setRequestTimeout',
        usage: 'resolver:setRequestTimeout(milliseconds)',
        summary: 'Sets how long one query may take.',
        scope: 'registration',
        run: (call) => self(call).setRequestTimeout(call.integer(2, 'milliseconds', TIMEOUT_MS)),
      },
      {
        name: 'DNSResolver:setNumContexts',
        usage: 'resolver:setNumContexts(contexts)',
        summary: 'Accepted for wforce; queries wait side by side without contexts.',
        scope: 'registration',
        run(call) {
          call.integer(2, 'contexts', { min: 1, max: 10_000 })
        },
      },
      {
        name: 'DNSResolver:lookupAddrByName',
        usage: 'resolver:lookupAddrByName(name, retries)',
        summary:
          'An array of the addresses of a name, as strings; empty when there are none or the query failed.',
        scope: 'anywhere',
        run: (call) => self(call).lookupAddrByName(call.string(2, 'name'), retries(call, 3)),
      },
      {
        name: 'DNSResolver:lookupNameByAddr',
        usage: 'resolver:lookupNameByAddr(address, retries)',
        summary: 'An array of the names of an address; empty when there are none or the query failed.',
        scope: 'anywhere',
        run: (call) =>
          self(call).lookupNameByAddr(call.object(2, 'address', ComboAddress).address, retries(call, 3)),
      },
      {
        name: 'DNSResolver:lookupRBL',
        usage: 'resolver:lookupRBL(address, zone, retries)',
        summary: 'An array of the answers of a DNS block list for an address; empty when it is not listed.',
        scope: 'anywhere',
        run: (call) =>
          self(call).lookupRBL(
            call.object(2, 'address', ComboAddress).address,
            call.string(3, 'zone'),
            retries(call, 4),
          ),
      },
    ],
  }
}
