/** The sink syslog against receivers over UDP, TCP and TLS. */
import assert from 'node:assert/strict'
import { createServer, type Server, type Socket } from 'node:net'
import { test } from 'node:test'
import { createServer as createTlsServer } from 'node:tls'
import { receiveDatagrams } from '../../../support/datagram-receiver.ts'
import { startDelivery } from '../../../support/delivery-rig.ts'
import { listenLocal } from '../../../support/listen-local.ts'
import { notificationBody } from '../../../support/notifications.ts'
import { privateCa } from '../../../support/private-ca.ts'
import { parseRfc3164, parseRfc5424, splitCounted, splitLines } from '../../../support/syslog-grammar.ts'

const TWO = notificationBody([{ id: 1 }, { id: 2, severity: 'critical', message: 'zwei\nAugen ä' }])

/** What each connection sent, once it was closed. */
function collect(streams: Buffer[]): (socket: Socket) => void {
  return (socket) => {
    const chunks: Buffer[] = []
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    socket.on('error', () => undefined)
    socket.on('end', () => {
      streams.push(Buffer.concat(chunks))
      socket.end()
    })
  }
}

async function closed(server: Server): Promise<void> {
  await new Promise((resolve) => server.close(resolve))
}

test('over UDP each alert is a datagram of RFC 5424', async (t) => {
  const receiver = await receiveDatagrams(t)
  const rig = startDelivery(
    t,
    {},
    {
      sinks: {
        log: { type: 'syslog', host: receiver.host, facility: 'local3', hostname: 'mx1' },
      },
    },
  )
  rig.outbox.add({ hook: 'sink:log', body: TWO })
  await rig.drained()
  await receiver.waitForCount(2)
  const [first, second] = receiver.datagrams.map(parseRfc5424)
  assert.deepEqual([first?.facility, first?.severity, first?.hostname], [19, 3, 'mx1'])
  assert.deepEqual([second?.severity, second?.data.get('alert@32473')?.get('id')], [2, '2'])
  assert.match(second?.text ?? '', /zwei Augen ä/)
  assert.equal(rig.records[0]?.answer, `${receiver.host}: sent (UDP: no answer)`)
})

test('over UDP the old format is there too', async (t) => {
  const receiver = await receiveDatagrams(t)
  const rig = startDelivery(
    t,
    {},
    {
      sinks: { log: { type: 'syslog', host: `localhost:${receiver.port}`, format: 'rfc3164', tag: 'abuse' } },
    },
  )
  rig.outbox.add({ hook: 'sink:log', body: TWO })
  await receiver.waitForCount(2)
  assert.deepEqual(
    receiver.datagrams.map(parseRfc3164).map(({ severity, tag }) => [severity, tag]),
    [
      [3, 'abuse'],
      [2, 'abuse'],
    ],
  )
})

test('over TCP messages have their length in front, or a line end in the old format', async (t) => {
  const streams: Buffer[] = []
  const port = await listenLocal(t, createServer({ allowHalfOpen: true }, collect(streams)))
  const host = `127.0.0.1:${port}`
  const rig = startDelivery(
    t,
    {},
    {
      sinks: {
        modern: { type: 'syslog', host, transport: 'tcp' },
        old: { type: 'syslog', host, transport: 'tcp', format: 'rfc3164' },
      },
    },
  )
  rig.outbox.add({ hook: 'sink:modern', body: TWO })
  await rig.drained()
  rig.outbox.add({ hook: 'sink:old', body: TWO })
  await rig.drained()
  const [modern, old] = streams
  assert.equal(splitCounted(modern ?? Buffer.of()).map(parseRfc5424).length, 2)
  assert.equal(splitLines(old ?? Buffer.of()).map(parseRfc3164).length, 2)
})

test('over TLS the receiver must be who it says', async (t) => {
  const streams: Buffer[] = []
  const right = await listenLocal(
    t,
    createTlsServer({ ...privateCa.server, allowHalfOpen: true }, collect(streams)),
  )
  const wrong = await listenLocal(t, createTlsServer(privateCa.otherHost, collect(streams)))
  const rig = startDelivery(
    t,
    {},
    {
      sinks: {
        right: { type: 'syslog', host: `localhost:${right}`, transport: 'tls', ca: privateCa.caFile },
        wrong: { type: 'syslog', host: `localhost:${wrong}`, transport: 'tls', ca: privateCa.caFile },
      },
    },
  )
  assert.deepEqual(await rig.delivery.sendTest('right'), {
    ok: true,
    answer: `localhost:${right}: sent (syslog has no answer)`,
  })
  const message = splitCounted(streams[0] ?? Buffer.of()).map(parseRfc5424)[0]
  assert.equal(message?.messageId, 'test')
  assert.match(message?.text ?? '', /^TEST /)
  const refusal = await rig.delivery.sendTest('wrong')
  assert.equal(refusal.ok, false)
  assert.match(refusal.answer, /TLS connection could not be trusted/)
  assert.equal(streams.length, 1)
})

test('with several hosts each gets a message once, also when one of them is down for a while', async (t) => {
  const streams: Buffer[] = []
  const up = await listenLocal(t, createServer({ allowHalfOpen: true }, collect(streams)))
  const placeholder = createServer()
  const down = await listenLocal(t, placeholder)
  await closed(placeholder)
  const rig = startDelivery(
    t,
    {},
    {
      sinks: { log: { type: 'syslog', host: [`127.0.0.1:${up}`, `127.0.0.1:${down}`], transport: 'tcp' } },
    },
  )
  rig.outbox.add({ hook: 'sink:log', body: TWO })
  await rig.tried(3)
  assert.equal(streams.length, 1)
  assert.match(String(rig.lines[0]?.fields['answer']), new RegExp(`127\\.0\\.0\\.1:${down}: .*ECONNREFUSED`))
  const late: Buffer[] = []
  const server = createServer({ allowHalfOpen: true }, collect(late))
  await new Promise<void>((resolve) => server.listen(down, '127.0.0.1', resolve))
  t.after(() => server.close())
  await rig.drained()
  assert.deepEqual([streams.length, late.length], [1, 1])
})

test('with failover the second host gets it only when the first does not', async (t) => {
  const first: Buffer[] = []
  const second: Buffer[] = []
  const server = createServer({ allowHalfOpen: true }, collect(first))
  const ports = [
    await listenLocal(t, server),
    await listenLocal(t, createServer({ allowHalfOpen: true }, collect(second))),
  ]
  const rig = startDelivery(
    t,
    {},
    {
      sinks: {
        log: {
          type: 'syslog',
          host: ports.map((port) => `127.0.0.1:${port}`),
          transport: 'tcp',
          mode: 'failover',
        },
      },
    },
  )
  rig.outbox.add({ hook: 'sink:log', body: TWO })
  await rig.drained()
  assert.deepEqual([first.length, second.length], [1, 0])
  await closed(server)
  rig.outbox.add({ hook: 'sink:log', body: TWO })
  await rig.drained()
  assert.deepEqual([first.length, second.length], [1, 1])
})

test('a receiver that hangs up without reading is tried again', async (t) => {
  const streams: Buffer[] = []
  let connections = 0
  const keep = collect(streams)
  const port = await listenLocal(
    t,
    createServer({ allowHalfOpen: true }, (socket) => {
      if (++connections <= 2) socket.resetAndDestroy()
      else keep(socket)
    }),
  )
  const rig = startDelivery(
    t,
    {},
    {
      sinks: { log: { type: 'syslog', host: `127.0.0.1:${port}`, transport: 'tcp' } },
    },
  )
  rig.outbox.add({ hook: 'sink:log', body: TWO })
  await rig.drained()
  assert.equal(streams.length, 1)
  assert.equal(rig.records.at(-1)?.tries, 3)
})
