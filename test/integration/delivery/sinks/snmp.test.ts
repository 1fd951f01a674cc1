/** The sink snmp against receivers, checked by the MIB module that is shipped. */
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import snmp from 'net-snmp'
import { receiveDatagrams } from '../../../support/datagram-receiver.ts'
import { startDelivery } from '../../../support/delivery-rig.ts'
import { notificationBody } from '../../../support/notifications.ts'
import { decodeTrap, readMib, type DecodedVariable } from '../../../support/snmp-decoder.ts'

const MIB_URL = new URL('../../../../conf/TRACKALERT-MIB.txt', import.meta.url)
const MIB = readMib(MIB_URL)
const ROOT = MIB.oids.get('trackalertMIB') ?? ''

/** The variables by the names of the module; each must be an object of the notification, in its order and of its type. */
function byMib(notification: string, variables: readonly DecodedVariable[]) {
  const names = new Map(Array.from(MIB.oids, ([name, oid]) => [`${oid}.0`, name]))
  assert.deepEqual(
    variables.map(({ oid }) => names.get(oid)),
    MIB.notifications.get(notification),
  )
  return new Map(
    variables.map(({ oid, tag, value }) => {
      const name = names.get(oid) ?? ''
      const syntax = MIB.syntax.get(name) ?? ''
      if (syntax === 'Unsigned32') assert.equal(tag, 0x42, name)
      else if (/^Trackalert(?:Severity|State)$/.test(syntax)) assert.equal(tag, 0x02, name)
      else {
        assert.equal(tag, 0x04, name)
        const most = syntax === 'DateAndTime' ? 11 : Number(/\.\.(\d+)\)/.exec(syntax)?.[1])
        assert.ok(Buffer.isBuffer(value) && value.length <= most, name)
      }
      return [name, Buffer.isBuffer(value) && syntax !== 'DateAndTime' ? value.toString() : value] as const
    }),
  )
}

test('a version 2c trap has the objects of the module, one trap for each alert', async (t) => {
  const receiver = await receiveDatagrams(t)
  const rig = startDelivery(t, {}, { sinks: { noc: { type: 'snmp', host: receiver.host } } })
  const long = { id: 8, message: 'ä'.repeat(900), rule: 'x\ny', value: 0, severity: 'critical' as const }
  rig.outbox.add({ hook: 'sink:noc', body: notificationBody([{}, long]) })
  await receiver.waitForCount(2)
  await rig.drained()
  const [first, second] = receiver.datagrams.map((datagram) => decodeTrap(datagram))
  assert.ok(first !== undefined && second !== undefined)
  assert.deepEqual([first.version, first.community, first.pdu], [1, 'public', 0xa7])
  const [upTime, trapOid, ...variables] = first.variables
  assert.deepEqual([upTime?.oid, upTime?.tag], ['1.3.6.1.2.1.1.3.0', 0x43])
  assert.deepEqual([trapOid?.oid, trapOid?.value], ['1.3.6.1.6.3.1.1.4.1.0', MIB.oids.get('trackalertAlert')])
  const { trackalertFirst: from, ...values } = Object.fromEntries(byMib('trackalertAlert', variables))
  assert.deepEqual(from, Buffer.of(0x07, 0xe9, 11, 2, 3, 4, 5, 6, 0x2b, 0, 0))
  assert.deepEqual(values, {
    trackalertAlertId: 7,
    trackalertRule: 'impossible-travel',
    trackalertKey: 'ann',
    trackalertSeverity: 4,
    trackalertMessage: 'from GB to BR in 10 minutes',
    trackalertValue: '900.5',
    trackalertThreshold: '500',
    trackalertCount: 3,
    trackalertState: 1,
    trackalertUser: 'ann',
    trackalertRemote: '192.0.2.7',
    trackalertLast: Buffer.of(0x07, 0xe9, 11, 2, 3, 14, 5, 0, 0x2b, 0, 0),
    trackalertTotal: 2,
  })
  const cut = byMib('trackalertAlert', second.variables.slice(2))
  assert.match(String(cut.get('trackalertMessage')), /^ä+…$/)
  assert.equal(cut.get('trackalertRule'), 'x y')
  assert.equal(rig.records[0]?.answer, `${receiver.host}: sent (UDP: no answer)`)
})

test('a version 1 trap names enterprise and number as RFC 3584 translates them', async (t) => {
  const receiver = await receiveDatagrams(t)
  const rig = startDelivery(
    t,
    {},
    {
      sinks: {
        noc: {
          type: 'snmp',
          host: receiver.host,
          version: '1',
          community: 'COMMUNITY',
          agentAddress: '192.0.2.1',
        },
      },
    },
  )
  rig.outbox.add({
    hook: 'sink:noc',
    body: notificationBody([{ state: 'resolved' }], { reason: 'resolved' }),
  })
  await rig.drained()
  assert.deepEqual(await rig.delivery.sendTest('noc'), {
    ok: true,
    answer: `${receiver.host}: sent (UDP: no answer)`,
  })
  await receiver.waitForCount(2)
  const [resolved, tested] = receiver.datagrams.map((datagram) => decodeTrap(datagram))
  assert.deepEqual(
    [resolved?.version, resolved?.pdu, resolved?.community, resolved?.enterprise, resolved?.specific],
    [0, 0xa4, 'COMMUNITY', ROOT, 3],
  )
  assert.equal(byMib('trackalertResolved', resolved?.variables ?? []).get('trackalertState'), 3)
  assert.deepEqual([tested?.enterprise, tested?.specific], [ROOT, 2])
})

test('another root moves everything', async (t) => {
  const receiver = await receiveDatagrams(t)
  const root = '1.3.6.1.4.1.99999.5'
  const rig = startDelivery(t, {}, { sinks: { noc: { type: 'snmp', host: receiver.host, root } } })
  rig.outbox.add({ hook: 'sink:noc', body: notificationBody() })
  await receiver.waitForCount(1)
  const [, trapOid, ...variables] = decodeTrap(receiver.datagrams[0] ?? Buffer.of()).variables
  assert.equal(trapOid?.value, `${root}.0.1`)
  assert.ok(variables.every(({ oid }) => oid.startsWith(`${root}.1.`)))
})

interface Received {
  readonly pdu: {
    readonly type: number
    readonly user?: string
    readonly varbinds: readonly { readonly oid: string }[]
  }
}

interface ModuleStore {
  readonly loadFromFile: (path: string) => void
  readonly getModule: (name: string) => object
}

interface Receiver {
  readonly getAuthorizer: () => {
    addUser(user: object): void
    addCommunity(community: string): void
  }
  readonly close: () => void
  readonly listener: { readonly sockets: Readonly<Record<string, { address(): { readonly port: number } }>> }
}

/** The library's receiver on a free port. */
async function libraryReceiver(t: TestContext, onTrap: (error: Error | null, received?: Received) => void) {
  const probe = createSocket('udp4')
  await new Promise<void>((done) => probe.bind(0, '127.0.0.1', done))
  const { port } = probe.address()
  await new Promise<void>((done) => probe.close(() => done()))
  const receiver = snmp.createReceiver({ port, address: '127.0.0.1', transport: 'udp4' }, onTrap) as Receiver
  t.after(() => receiver.close())
  return { receiver, host: `127.0.0.1:${port}` }
}

const USER = {
  user: 'watch',
  authProtocol: 'sha256',
  authPassword: 'AUTH-SECRET',
  privProtocol: 'aes',
  privPassword: 'PRIV-SECRET',
}
const LIBRARY_USER = {
  name: 'watch',
  level: snmp.SecurityLevel.authPriv,
  authProtocol: snmp.AuthProtocols.sha256,
  authKey: 'AUTH-SECRET',
  privProtocol: snmp.PrivProtocols.aes,
  privKey: 'PRIV-SECRET',
}

for (const version of ['2c', '3'] as const) {
  test(`a version ${version} inform is delivered when it is confirmed, and waits while nobody does`, async (t) => {
    const got: Received[] = []
    const { receiver, host } = await libraryReceiver(t, (error, received) => {
      if (error === null && received !== undefined) got.push(received)
    })
    const keys = version === '3' ? USER : { community: 'COMMUNITY' }
    const rig = startDelivery(
      t,
      {},
      {
        sinks: { noc: { type: 'snmp', host, version, inform: true, timeout: 1, ...keys } },
      },
    )
    rig.outbox.add({ hook: 'sink:noc', body: notificationBody() })
    await rig.tried(1)
    assert.equal(rig.outbox.size, 1)
    if (version === '3') receiver.getAuthorizer().addUser(LIBRARY_USER)
    else receiver.getAuthorizer().addCommunity('COMMUNITY')
    await rig.drained()
    // More than one if a confirmation came too late on a busy machine.
    assert.ok(got.length >= 1)
    assert.equal(got[0]?.pdu.type, snmp.PduType.InformRequest)
    assert.equal(got[0]?.pdu.varbinds[2]?.oid, `${MIB.oids.get('trackalertAlertId')}.0`)
    assert.equal(rig.records.at(-1)?.answer, `${host}: confirmed`)
    assert.ok(!/SECRET|COMMUNITY/.test(JSON.stringify([rig.lines, rig.records, rig.delivery.sinks()])))
  })
}

test('noise instead of a confirmation changes nothing', async (t) => {
  const noisy = createSocket('udp4')
  let asked = 0
  noisy.on('message', (_datagram, { port, address }) => {
    asked += 1
    for (const noise of [
      Buffer.from('garbage'),
      Buffer.of(0x30, 0x84, 1),
      Buffer.alloc(0),
      Buffer.alloc(2000, 0x30),
    ])
      noisy.send(noise, port, address)
  })
  await new Promise<void>((done) => noisy.bind(0, '127.0.0.1', done))
  t.after(() => noisy.close())
  const host = `127.0.0.1:${noisy.address().port}`
  const rig = startDelivery(t, {}, { sinks: { noc: { type: 'snmp', host, inform: true, timeout: 1 } } })
  const { ok, answer } = await rig.delivery.sendTest('noc')
  assert.equal(ok, false)
  assert.match(answer, /no (?:answer|confirmation) came in time/)
  assert.equal(asked, 1)
})

test('the library can read the module too', () => {
  const store = snmp.createModuleStore() as ModuleStore
  store.loadFromFile(fileURLToPath(MIB_URL))
  const module = store.getModule('TRACKALERT-MIB')
  assert.equal(
    Object.keys(module).filter((name) => /^trackalert(?:Alert|Test|Resolved)$/.test(name)).length,
    3,
  )
})

test('a version 3 trap is encrypted, authentic, and says since when its sender runs', async (t) => {
  const { promise, resolve } = Promise.withResolvers<Received>()
  const { receiver, host } = await libraryReceiver(t, (error, received) => {
    if (error === null && received !== undefined) resolve(received)
  })
  receiver.getAuthorizer().addUser(LIBRARY_USER)
  const startedAtMs = Date.now()
  const rig = startDelivery(t, {}, { sinks: { noc: { type: 'snmp', host, version: '3', ...USER } } })
  const outcome = await rig.delivery.sendTest('noc')
  assert.match(outcome.answer, /sent \(UDP: no answer; engine id 80007ed905[\da-f]{24}\)$/)
  assert.equal((await promise).pdu.varbinds.length, 16)

  const raw = await receiveDatagrams(t)
  const second = startDelivery(
    t,
    {},
    { sinks: { noc: { type: 'snmp', host: raw.host, version: '3', ...USER } } },
  )
  await second.delivery.sendTest('noc')
  await raw.waitForCount(1)
  const bytes = raw.datagrams[0] ?? Buffer.of()
  assert.ok(!bytes.includes('server.test'))
  // msgAuthoritativeEngineBoots: the start in Unix seconds, an INTEGER of four bytes.
  const boots = Array.from({ length: 10 }, (_, second_) => Math.floor(startedAtMs / 1000) + second_)
  assert.ok(
    boots.some((value) => bytes.includes(Buffer.from(`0204${value.toString(16).padStart(8, '0')}`, 'hex'))),
  )
})
