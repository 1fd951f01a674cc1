/**
 * The DNS resolvers of one policy worker, by the names that the configuration gave them.
 */
import { DnsResolver, type DnsResolverDeps } from './dns-resolver.ts'

export interface DnsResolvers {
  /** Makes a resolver under a name; the same one when the name is taken. */
  readonly open: (name: string) => DnsResolver
  readonly find: (name: string) => DnsResolver | undefined
}

export function createDnsResolvers(deps: DnsResolverDeps): DnsResolvers {
  /** Bounded by the configuration file, which alone can name resolvers. */
  const resolvers = new Map<string, DnsResolver>()
  return {
    open(name) {
      const known = resolvers.get(name)
      if (known !== undefined) return known
      const resolver = new DnsResolver(name, deps)
      resolvers.set(name, resolver)
      return resolver
    },
    find: (name) => resolvers.get(name),
  }
}
