/**
 * wforce's DNS resolver: what a policy asks of DNS, with a cache and a limit to every wait. One per name and policy
 * worker. It asks DNS servers only, never the hosts file.
 */
import { Resolver } from 'node:dns/promises'
import { isIP } from 'node:net'
import { LRUCache } from 'lru-cache'
import { TrackError } from '../errors.ts'
import { askableName, blockListName, pointerName } from './dns-names.ts'

export interface DnsResolverDeps {
  /** A lookup that the cache could not answer has ended, well or not. */
  readonly onQuery: (resolver: string, durationMs: number) => void
}

export interface DnsResolverOptions {
  /** Names kept; default 10,000. */
  readonly cacheEntries?: number
  /** How long it is remembered that there is nothing; default 60 s. */
  readonly negativeTtlMs?: number
  /** How long it is remembered that nobody could say; default 5 s. */
  readonly failureTtlMs?: number
  /** Lookups under way at once; default 1000. */
  readonly maxInFlight?: number
}

/** What one question to DNS came to. */
interface Findings {
  readonly values: readonly string[]
  /** How long they may be kept. */
  readonly ttlMs: number
  /** Nobody could say. */
  readonly isFailure: boolean
}

interface Timed {
  readonly value: string
  readonly ttlSeconds: number
}

type Query = (resolver: Resolver) => Promise<readonly Timed[]>

const DEFAULT_TIMEOUT_MS = 2_000
const DEFAULT_RETRIES = 1
const DEFAULT_CACHE_ENTRIES = 10_000
const DEFAULT_NEGATIVE_TTL_MS = 60_000
const DEFAULT_FAILURE_TTL_MS = 5_000
const DEFAULT_IN_FLIGHT = 1000
/** node:dns gives no lifetime of PTR records; names of addresses seldom change. */
const POINTER_TTL_SECONDS = 300
const MIN_TTL_SECONDS = 1
const MAX_TTL_SECONDS = 3600
/** There is no such name, or none of this type; and names that the resolver finds unfit to be sent. */
const NOTHING: ReadonlySet<string> = new Set(['ENOTFOUND', 'ENODATA', 'EBADNAME'])

export class DnsResolver {
  readonly name: string
  readonly #deps: DnsResolverDeps
  readonly #cache: LRUCache<string, Findings>
  readonly #negativeTtlMs: number
  readonly #failureTtlMs: number
  readonly #maxInFlight: number
  /** On the way, by question; bounded by #maxInFlight. */
  readonly #asked = new Map<string, Promise<Findings>>()
  readonly #servers: string[] = []
  #timeoutMs = DEFAULT_TIMEOUT_MS
  /** One per server: the tries of a lookup go from one to the next. */
  #resolvers: readonly Resolver[]
  /** Where a lookup begins: the server after the last one that failed. */
  #preferred = 0

  constructor(name: string, deps: DnsResolverDeps, options: DnsResolverOptions = {}) {
    this.name = name
    this.#deps = deps
    this.#cache = new LRUCache({ max: options.cacheEntries ?? DEFAULT_CACHE_ENTRIES })
    this.#negativeTtlMs = options.negativeTtlMs ?? DEFAULT_NEGATIVE_TTL_MS
    this.#failureTtlMs = options.failureTtlMs ?? DEFAULT_FAILURE_TTL_MS
    this.#maxInFlight = options.maxInFlight ?? DEFAULT_IN_FLIGHT
    this.#resolvers = this.#makeResolvers()
  }

  /**
   * Adds a server to ask; the first one replaces those of the system.
   *
   * @throws TrackError TRK_CONFIG_INVALID when it is no address.
   */
  addResolver(address: string, port: number): void {
    // An address with a zone is one for node:net, but no server for node:dns.
    if (isIP(address) === 0 || address.includes('%')) {
      throw new TrackError('TRK_CONFIG_INVALID', `${JSON.stringify(address)} is no address of a DNS server`)
    }
    const server = isIP(address) === 6 ? `[${address}]:${port}` : `${address}:${port}`
    if (!this.#servers.includes(server)) this.#servers.push(server)
    this.#resolvers = this.#makeResolvers()
  }

  /** How long one try may take; a lookup ends after this time for each of its tries at the latest. */
  setRequestTimeout(timeoutMs: number): void {
    this.#timeoutMs = timeoutMs
    this.#resolvers = this.#makeResolvers()
  }

  /**
   * The IPv4 and then the IPv6 addresses of a name; none when there are none or nobody could say.
   *
   * @param retries - tries after the first one
   * @throws TrackError TRK_OVERLOAD when too many lookups are under way.
   */
  async lookupAddrByName(name: string, retries = DEFAULT_RETRIES): Promise<readonly string[]> {
    const asked = askableName(name)
    if (asked === undefined) return []
    return this.#lookup(`name ${asked}`, retries, [
      (resolver) => resolve4(resolver, asked),
      (resolver) => resolve6(resolver, asked),
    ])
  }

  /** The names of an address; otherwise as `lookupAddrByName`. */
  async lookupNameByAddr(address: string, retries = DEFAULT_RETRIES): Promise<readonly string[]> {
    const asked = pointerName(address)
    if (asked === undefined) return []
    return this.#lookup(`pointer ${asked}`, retries, [(resolver) => resolvePointer(resolver, asked)])
  }

  /** What a block list says about an address: usually one of 127.0.0.0/8; otherwise as `lookupAddrByName`. */
  async lookupRBL(address: string, zone: string, retries = DEFAULT_RETRIES): Promise<readonly string[]> {
    const name = blockListName(address, zone)
    const asked = name === undefined ? undefined : askableName(name)
    if (asked === undefined) return []
    return this.#lookup(`list ${asked}`, retries, [(resolver) => resolve4(resolver, asked)])
  }

  async #lookup(question: string, retries: number, queries: readonly Query[]): Promise<readonly string[]> {
    const kept = this.#cache.get(question)
    if (kept !== undefined) return kept.values
    let asked = this.#asked.get(question)
    if (asked === undefined) {
      if (this.#asked.size >= this.#maxInFlight) {
        throw new TrackError(
          'TRK_OVERLOAD',
          `the DNS resolver ${this.name} has ${this.#maxInFlight} lookups under way`,
        )
      }
      asked = this.#ask(question, retries, queries)
      this.#asked.set(question, asked)
    }
    return (await asked).values
  }

  async #ask(question: string, retries: number, queries: readonly Query[]): Promise<Findings> {
    const startedAtMs = performance.now()
    try {
      const findings = merged(await Promise.all(queries.map((query) => this.#persist(query, retries))))
      this.#cache.set(question, findings, { ttl: findings.ttlMs })
      return findings
    } finally {
      this.#asked.delete(question)
      this.#deps.onQuery(this.name, performance.now() - startedAtMs)
    }
  }

  /** Asks until there is an answer or the tries are used up. */
  async #persist(query: Query, retries: number): Promise<Findings> {
    for (let left = retries; left >= 0; left--) {
      const index = this.#preferred
      const resolver = this.#resolvers[index]
      if (resolver === undefined) break
      const outcome = await withDeadline(query(resolver), this.#timeoutMs)
      if (outcome.kind === 'found') return this.#findings(outcome.records)
      if (outcome.kind === 'nothing') return { values: [], ttlMs: this.#negativeTtlMs, isFailure: false }
      // Unless another lookup has moved on from this server already.
      if (this.#preferred === index) this.#preferred = (index + 1) % this.#resolvers.length
    }
    return { values: [], ttlMs: this.#failureTtlMs, isFailure: true }
  }

  #findings(records: readonly Timed[]): Findings {
    if (records.length === 0) return { values: [], ttlMs: this.#negativeTtlMs, isFailure: false }
    const shortestSeconds = Math.min(...records.map((record) => record.ttlSeconds), MAX_TTL_SECONDS)
    const ttlMs = Math.max(shortestSeconds, MIN_TTL_SECONDS) * 1000
    return { values: records.map((record) => record.value), ttlMs, isFailure: false }
  }

  #makeResolvers(): readonly Resolver[] {
    this.#preferred = 0
    // Servers and tries are gone through here: on its own a Resolver may take twice the time before it goes on.
    const options = { timeout: this.#timeoutMs, tries: 1, maxTimeout: this.#timeoutMs }
    if (this.#servers.length === 0) return [new Resolver(options)]
    return this.#servers.map((server) => {
      const resolver = new Resolver(options)
      resolver.setServers([server])
      return resolver
    })
  }
}

async function resolve4(resolver: Resolver, name: string): Promise<readonly Timed[]> {
  const records = await resolver.resolve4(name, { ttl: true })
  return records.map(({ address, ttl }) => ({ value: address, ttlSeconds: ttl }))
}

async function resolve6(resolver: Resolver, name: string): Promise<readonly Timed[]> {
  const records = await resolver.resolve6(name, { ttl: true })
  return records.map(({ address, ttl }) => ({ value: address, ttlSeconds: ttl }))
}

async function resolvePointer(resolver: Resolver, name: string): Promise<readonly Timed[]> {
  const names = await resolver.resolvePtr(name)
  return names.map((value) => ({ value, ttlSeconds: POINTER_TTL_SECONDS }))
}

/** All values; kept as long as the part that lasts shortest. */
function merged(parts: readonly Findings[]): Findings {
  const values = parts.flatMap((part) => part.values)
  // That a name has no IPv6 address says nothing against keeping its IPv4 addresses; that nobody could say does.
  const decisive = parts.filter((part) => part.values.length > 0 || part.isFailure)
  const ttls = (decisive.length === 0 ? parts : decisive).map((part) => part.ttlMs)
  return { values, ttlMs: Math.min(...ttls), isFailure: parts.some((part) => part.isFailure) }
}

type Outcome =
  | { readonly kind: 'found'; readonly records: readonly Timed[] }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'failed' }

/** A query that comes too late is left to itself; its resolver ends it. */
async function withDeadline(query: Promise<readonly Timed[]>, timeoutMs: number): Promise<Outcome> {
  let timer: NodeJS.Timeout | undefined
  const tooLate = new Promise<Outcome>((resolve) => {
    timer = setTimeout(() => resolve({ kind: 'failed' }), timeoutMs)
  })
  try {
    return await Promise.race([
      query.then((records): Outcome => ({ kind: 'found', records }), failureOf),
      tooLate,
    ])
  } finally {
    clearTimeout(timer)
  }
}

function failureOf(error: unknown): Outcome {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return { kind: NOTHING.has(code) ? 'nothing' : 'failed' }
}
