import assert from 'node:assert/strict'
import { createServer, type ServerOptions } from 'node:https'
import { test, type TestContext } from 'node:test'
import type { TLSSocket } from 'node:tls'
import type { DeliveryOptions } from '../../../src/delivery/delivery-options.ts'
import { PLAIN_TLS, startDelivery } from '../../support/delivery-rig.ts'
import { listenLocal } from '../../support/listen-local.ts'
import { privateCa } from '../../support/private-ca.ts'

/** @returns the port, and the common names of the clients that showed a certificate. */
async function startTls(
  t: TestContext,
  options: ServerOptions,
): Promise<{ port: number; clients: string[] }> {
  const clients: string[] = []
  const server = createServer(options, (request, response) => {
    const certificate = (request.socket as TLSSocket).getPeerCertificate()
    clients.push(String(certificate.subject?.CN ?? ''))
    response.end()
  })
  return { port: await listenLocal(t, server), clients }
}

/** Sends one webhook and gives what the log says about it: nothing when all is well. */
async function sendOne(
  t: TestContext,
  port: number,
  tls: Partial<DeliveryOptions['tls']>,
): Promise<readonly unknown[]> {
  const rig = startDelivery(
    t,
    { alerts: { url: `https://127.0.0.1:${port}/` } },
    { tls: { ...PLAIN_TLS, ...tls } },
  )
  rig.outbox.add({ hook: 'alerts', body: '{}' })
  await rig.tried(1)
  await rig.delivery.stop(0)
  return rig.lines.map(({ fields }) => fields['reason'])
}

test('a certificate of a private authority is taken with its bundle', async (t) => {
  const { port } = await startTls(t, privateCa.server)
  assert.deepEqual(await sendOne(t, port, { caBundleFile: privateCa.caFile }), [])
})

test('a certificate of an unknown authority is refused', async (t) => {
  const { port, clients } = await startTls(t, privateCa.server)
  assert.deepEqual(await sendOne(t, port, {}), ['tls'])
  assert.deepEqual(clients, [])
})

test('without peer verification any certificate is taken', async (t) => {
  const { port } = await startTls(t, privateCa.otherHost)
  assert.deepEqual(await sendOne(t, port, { verifyPeer: false }), [])
})

test("another host's certificate is refused", async (t) => {
  const { port, clients } = await startTls(t, privateCa.otherHost)
  assert.deepEqual(await sendOne(t, port, { caBundleFile: privateCa.caFile }), ['tls'])
  assert.deepEqual(clients, [])
})

test("without host verification another host's certificate is taken, an unknown authority's is not", async (t) => {
  const { port } = await startTls(t, privateCa.otherHost)
  assert.deepEqual(await sendOne(t, port, { verifyHost: false, caBundleFile: privateCa.caFile }), [])
  assert.deepEqual(await sendOne(t, port, { verifyHost: false }), ['tls'])
})

test('a server that asks for a certificate gets the configured one', async (t) => {
  const { port, clients } = await startTls(t, {
    ...privateCa.server,
    ca: privateCa.ca,
    requestCert: true,
    rejectUnauthorized: true,
  })
  const reasons = await sendOne(t, port, {
    caBundleFile: privateCa.caFile,
    clientCertificateFile: privateCa.clientFile,
    clientKeyFile: privateCa.clientKeyFile,
  })
  assert.deepEqual(reasons, [])
  assert.deepEqual(clients, ['trackalert test client'])
})

test('a server that insists on a certificate refuses a client without one', async (t) => {
  const { port, clients } = await startTls(t, {
    ...privateCa.server,
    ca: privateCa.ca,
    requestCert: true,
    rejectUnauthorized: true,
  })
  const rig = startDelivery(
    t,
    { alerts: { url: `https://127.0.0.1:${port}/` } },
    { tls: { ...PLAIN_TLS, caBundleFile: privateCa.caFile } },
  )
  rig.outbox.add({ hook: 'alerts', body: '{}' })
  await rig.tried(2)
  assert.deepEqual(rig.tries.slice(0, 2), ['1 error', '1 error'])
  assert.deepEqual(clients, [])
})
