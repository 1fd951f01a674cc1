/** Reloads that the console asks for, and a control socket that changes with them. */
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { eventually } from '../support/ask-server.ts'
import { connectConsole, CONTROL_CONFIGURATION } from '../support/console-client.ts'
import { connectPeer } from '../support/control-peer.ts'
import { freePort } from '../support/free-port.ts'
import { reload } from '../support/reload.ts'
import { BASE_CONFIGURATION, startServer } from '../support/server-process.ts'

const configuration = (value: string): string =>
  `${BASE_CONFIGURATION}${CONTROL_CONFIGURATION}value = ${JSON.stringify(value)}\n`

test('reloadConfig() is answered on the connection that asked, which then speaks to the new configuration', async (t) => {
  const server = await startServer(t, { configuration: configuration('old') })
  const ask = await connectConsole(t, server)
  assert.equal(await ask('return value'), 'old')
  await writeFile(join(server.folder, 'trackalert.conf'), configuration('new'))
  assert.equal(await ask('reloadConfig()'), 'the configuration was loaded again\n')
  assert.equal(await ask('return value'), 'new')
  await writeFile(join(server.folder, 'trackalert.conf'), 'oops')
  assert.match(await ask('reloadConfig()'), /^Error: .*trackalert\.conf:1: syntax error/)
  assert.equal(await ask('return value'), 'new')
  assert.equal(await ask('reloadGeoIPDBs()'), 'reloadGeoIPDBs() successful\n')
})

test('a changed key counts for new connections, and without a control socket there are none', async (t) => {
  const port = await freePort()
  const withKey = (key: Buffer, value: string): string => `${BASE_CONFIGURATION}
    controlSocket("127.0.0.1:${port}")
    setKey("${key.toString('base64')}")
    value = "${value}"`
  const [key, otherKey] = [Buffer.alloc(32, 6), Buffer.alloc(32, 7)]
  const server = await startServer(t, { configuration: withKey(key, 'old') })
  const ask = async (withThis: Buffer): Promise<string> =>
    (await connectPeer(t, port, withThis)).ask('return value')
  assert.equal(await ask(key), 'old')
  assert.equal(await reload(server, withKey(otherKey, 'new')), undefined)
  await eventually('the new key does not work', async () => {
    return (await ask(otherKey).catch(() => undefined)) === 'new'
  })
  await assert.rejects(ask(key))
  assert.equal(await reload(server, BASE_CONFIGURATION), undefined)
  await server.waitFor(/the control socket is closed/)
  await assert.rejects(ask(otherKey))
})
