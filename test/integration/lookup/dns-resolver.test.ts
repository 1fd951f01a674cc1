import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { DnsResolver, type DnsResolverOptions } from '../../../src/lookup/dns-resolver.ts'
import { createDnsResolvers } from '../../../src/lookup/dns-resolvers.ts'
import { startDnsServer, type DnsReply, type RecordType } from '../../support/dns-server.ts'

const NO_SUCH_NAME: DnsReply = { kind: 'no-such-name' }
const SILENCE: DnsReply = { kind: 'silence' }

function records(...values: readonly string[]): DnsReply {
  return { kind: 'records', values, ttlSeconds: 60 }
}

function createResolver(port: number, options: DnsResolverOptions = {}) {
  const durations: number[] = []
  const resolver = new DnsResolver(
    'test',
    { onQuery: (_name, durationMs) => durations.push(durationMs) },
    options,
  )
  resolver.addResolver('127.0.0.1', port)
  return { resolver, durations }
}

async function startTable(t: TestContext, table: Readonly<Record<string, DnsReply>>) {
  return startDnsServer(t, (type: RecordType, name: string) => table[`${type} ${name}`] ?? NO_SUCH_NAME)
}

test('a name has its IPv4 and then its IPv6 addresses', async (t) => {
  const { port } = await startTable(t, {
    'A mail.example.org': records('192.0.2.1', '192.0.2.2'),
    'AAAA mail.example.org': records('2001:db8:0:0:0:0:0:1'),
  })
  const { resolver, durations } = createResolver(port)
  assert.deepEqual(await resolver.lookupAddrByName('Mail.Example.org'), [
    '192.0.2.1',
    '192.0.2.2',
    '2001:db8::1',
  ])
  assert.equal(durations.length, 1)
})

test('a name with IPv4 addresses only has those', async (t) => {
  const { port } = await startTable(t, {
    'A v4.example': records('192.0.2.1'),
    'AAAA v4.example': records(),
  })
  assert.deepEqual(await createResolver(port).resolver.lookupAddrByName('v4.example'), ['192.0.2.1'])
})

test('an address has its names, from DNS and never from the hosts file', async (t) => {
  const { port } = await startTable(t, {
    'PTR 7.2.0.192.in-addr.arpa': records('a.example.org', 'b.example.org'),
    'PTR 1.0.0.127.in-addr.arpa': records('not-localhost.example'),
  })
  const { resolver } = createResolver(port)
  assert.deepEqual(await resolver.lookupNameByAddr('192.0.2.7'), ['a.example.org', 'b.example.org'])
  assert.deepEqual(await resolver.lookupNameByAddr('127.0.0.1'), ['not-localhost.example'])
})

test('a block list is asked for the reversed address, IPv4 and IPv6', async (t) => {
  const nibbles = '1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2'
  const { port } = await startTable(t, {
    'A 7.2.0.192.sbl.example.org': records('127.0.0.2', '127.0.0.9'),
    [`A ${nibbles}.sbl.example.org`]: records('127.0.0.3'),
  })
  const { resolver } = createResolver(port)
  assert.deepEqual(await resolver.lookupRBL('192.0.2.7', 'sbl.example.org'), ['127.0.0.2', '127.0.0.9'])
  assert.deepEqual(await resolver.lookupRBL('2001:db8::1', 'sbl.example.org'), ['127.0.0.3'])
  assert.deepEqual(await resolver.lookupRBL('192.0.2.8', 'sbl.example.org'), [])
})

test('an answer is asked for once and then kept, also that there is none', async (t) => {
  const server = await startTable(t, { 'A listed.example': records('127.0.0.2') })
  const { resolver, durations } = createResolver(server.port)
  for (let round = 0; round < 3; round++) {
    assert.deepEqual(await resolver.lookupRBL('192.0.2.7', 'sbl.example.org'), [])
    assert.deepEqual(await resolver.lookupNameByAddr('192.0.2.7'), [])
  }
  assert.equal(server.questions.length, 2)
  assert.equal(durations.length, 2)
})

test('an answer is kept no longer than its shortest lifetime, but a second at least', async (t) => {
  const server = await startDnsServer(t, () => ({ kind: 'records', values: ['127.0.0.2'], ttlSeconds: 0 }))
  const { resolver } = createResolver(server.port)
  const startedAtMs = performance.now()
  while (server.questions.length < 2) {
    assert.deepEqual(await resolver.lookupRBL('192.0.2.7', 'sbl.example.org'), ['127.0.0.2'])
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  const keptMs = performance.now() - startedAtMs
  assert.ok(keptMs >= 990 && keptMs < 5000, `${keptMs} ms`)
})

test('equal questions at the same time are one', async (t) => {
  const server = await startTable(t, { 'A 7.2.0.192.sbl.example.org': records('127.0.0.2') })
  const { resolver } = createResolver(server.port)
  const answers = await Promise.all(
    Array.from({ length: 50 }, () => resolver.lookupRBL('192.0.2.7', 'sbl.example.org')),
  )
  assert.ok(answers.every(([first]) => first === '127.0.0.2'))
  assert.equal(server.questions.length, 1)
})

test('a silent server costs the time-out for each try and gives an empty answer', async (t) => {
  const server = await startDnsServer(t, () => SILENCE)
  const { resolver, durations } = createResolver(server.port)
  resolver.setRequestTimeout(100)
  const startedAtMs = performance.now()
  assert.deepEqual(await resolver.lookupNameByAddr('192.0.2.7', 2), [])
  const tookMs = performance.now() - startedAtMs
  assert.ok(tookMs >= 290 && tookMs < 3000, `${tookMs} ms`)
  await server.asked(3)
  assert.equal(server.questions.length, 3)
  assert.equal(durations.length, 1)
})

test('without retries a silent server is asked once', async (t) => {
  const server = await startDnsServer(t, () => SILENCE)
  const { resolver } = createResolver(server.port)
  resolver.setRequestTimeout(50)
  assert.deepEqual(await resolver.lookupNameByAddr('192.0.2.7', 0), [])
  assert.equal(server.questions.length, 1)
})

test('a retry gets the answer that the first try did not', async (t) => {
  let count = 0
  const server = await startDnsServer(t, () =>
    ++count === 1 ? { kind: 'server-failure' } : records('a.example.org'),
  )
  const { resolver } = createResolver(server.port)
  assert.deepEqual(await resolver.lookupNameByAddr('192.0.2.7', 1), ['a.example.org'])
})

test('a failure is remembered for less time than an answer', async (t) => {
  let isWell = false
  const server = await startDnsServer(t, () =>
    isWell ? records('a.example.org') : { kind: 'server-failure' },
  )
  const { resolver } = createResolver(server.port, { failureTtlMs: 1 })
  assert.deepEqual(await resolver.lookupNameByAddr('192.0.2.7', 0), [])
  isWell = true
  await new Promise((resolve) => setTimeout(resolve, 20))
  assert.deepEqual(await resolver.lookupNameByAddr('192.0.2.7', 0), ['a.example.org'])
})

test('a second server answers when the first one is dead', async (t) => {
  const dead = await startDnsServer(t, () => SILENCE)
  const server = await startTable(t, { 'PTR 7.2.0.192.in-addr.arpa': records('a.example.org') })
  const { resolver } = createResolver(dead.port)
  resolver.addResolver('127.0.0.1', server.port)
  resolver.setRequestTimeout(300)
  assert.deepEqual(await resolver.lookupNameByAddr('192.0.2.7', 1), ['a.example.org'])
  // And it is the one to be asked from then on.
  await resolver.lookupNameByAddr('192.0.2.8', 1)
  assert.equal(dead.questions.length, 1)
})

test('a slow question does not hold up another', async (t) => {
  let release = (): void => undefined
  const gate = new Promise<void>((resolve) => (release = resolve))
  const server = await startDnsServer(t, async (_type, name) => {
    if (name.startsWith('7.')) await gate
    return records('a.example.org')
  })
  const { resolver } = createResolver(server.port)
  resolver.setRequestTimeout(10_000)
  const slow = resolver.lookupNameByAddr('192.0.2.7')
  await server.asked(1)
  assert.deepEqual(await resolver.lookupNameByAddr('192.0.2.8'), ['a.example.org'])
  release()
  assert.deepEqual(await slow, ['a.example.org'])
})

test('more lookups at once than allowed are refused with TRK_OVERLOAD', async (t) => {
  const server = await startDnsServer(t, () => SILENCE)
  const { resolver } = createResolver(server.port, { maxInFlight: 2 })
  resolver.setRequestTimeout(100)
  const allowed = [resolver.lookupNameByAddr('192.0.2.1', 0), resolver.lookupNameByAddr('192.0.2.2', 0)]
  await assert.rejects(resolver.lookupNameByAddr('192.0.2.3', 0), { code: 'TRK_OVERLOAD' })
  assert.deepEqual(await Promise.all(allowed), [[], []])
})

test('the cache keeps no more names than it may', async (t) => {
  const server = await startDnsServer(t, () => records('a.example.org'))
  const { resolver } = createResolver(server.port, { cacheEntries: 2 })
  for (const host of [1, 2, 3, 1]) await resolver.lookupNameByAddr(`192.0.2.${host}`)
  assert.equal(server.questions.length, 4)
})

for (const name of ['', 'a b', 'cut\0off', '\udcff', 'a..b', `${'x'.repeat(64)}.example`]) {
  test(`the name ${JSON.stringify(name.slice(0, 20))} has no address and is not asked for`, async (t) => {
    const server = await startDnsServer(t, () => records('192.0.2.1'))
    assert.deepEqual(await createResolver(server.port).resolver.lookupAddrByName(name), [])
    assert.deepEqual(server.questions, [])
  })
}

test('what is no address is neither a server nor looked up', async () => {
  const { resolver } = createResolver(1)
  assert.throws(() => resolver.addResolver('dns.example', 53), { code: 'TRK_CONFIG_INVALID' })
  assert.deepEqual(await resolver.lookupNameByAddr('nobody'), [])
  assert.deepEqual(await resolver.lookupRBL('nobody', 'sbl.example.org'), [])
})

test('a name gives the same resolver every time, another name another one', () => {
  const resolvers = createDnsResolvers({ onQuery: () => undefined })
  const first = resolvers.open('a')
  assert.equal(resolvers.open('a'), first)
  assert.equal(resolvers.find('a'), first)
  assert.equal(resolvers.find('b'), undefined)
})
