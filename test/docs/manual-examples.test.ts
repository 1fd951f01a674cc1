/** Every example configuration of the manual, run by the real server: no mistake at the start and none in a run. */
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { loadConfiguration } from '../../src/config/load-configuration.ts'
import { MAN_PAGES, readManPage } from '../support/man-page.ts'
import { allRun } from '../support/ask-server.ts'
import { BASE_CONFIGURATION, startServer, type ServerProcess } from '../support/server-process.ts'
import { startReceiver } from '../support/web-hook-receiver.ts'

const CERTIFICATES = fileURLToPath(new URL('../fixtures/tls/private-ca/', import.meta.url))

const examples = MAN_PAGES.flatMap((name) => readManPage(name).examples).filter(
  ({ kind }) => kind === 'example',
)

/** What must be seen besides that nothing failed. */
const further: Readonly<Record<string, (server: ServerProcess) => Promise<void>>> = {
  async 'endpoint-and-background'(server) {
    const answer = await server.post('/command/reverse', { attrs: { text: 'abc' } })
    assert.deepEqual(await answer.json(), { success: true, r_attrs: { text: 'cba' } })
  },
  async 'http-request'(server) {
    await server.waitFor(/bad address: login="ann" remote="81\.2\.69\.160"/)
  },
  async geoip(server) {
    await server.waitFor(/login: login="ann" country="GB" same="true"/)
  },
  async device(server) {
    await server.waitFor(/login: login="ann" device="Mac OS X Mail" os="Mac OS X"/)
  },
  async netmasks(server) {
    await server.waitFor(/login from outside: login="ann" network="81\.2\.69\.0\/24"/)
  },
  async statistics(server) {
    await server.waitFor(/login failed: login="bob" why="credentials"/)
  },
  async trends(server) {
    await server.waitFor(/new country: login="ann" country="GB"/)
  },
  async alerts(server) {
    const answer = await server.get('/command/alerts?rule=new-country&severity=info')
    assert.match(
      await answer.text(),
      /"key":"ann","severity":"info","message":"ann logged in from GB for the/,
    )
  },
  async 'webhook-from-a-report'(server) {
    const answer = await server.get('/metrics')
    assert.match(await answer.text(), /trackalert_webhook_events_total 1/)
  },
}

const REPORTS = [
  {
    login: 'ann',
    remote: '81.2.69.160',
    success: true,
    protocol: 'imap',
    device_id: '"name" "Mac OS X Mail" "version" "10.0 (3226)" "os" "Mac OS X" "os-version" "10.12"',
  },
  {
    login: 'bob',
    remote: '2001:db8::1',
    success: false,
    fail_type: 'credentials',
    protocol: 'https',
    device_id: 'x',
  },
] as const

describe('examples of the manual', { concurrency: 2 }, () => {
  test('there are some, with names of their own', () => {
    assert.ok(examples.length > 5)
    assert.equal(new Set(examples.map(({ name }) => name)).size, examples.length)
  })

  for (const { page, name, text } of examples) {
    test(`${name} of ${page} is a configuration without a mistake`, async (t) => {
      const folder = await mkdtemp(join(tmpdir(), 'trackalert-example-'))
      t.after(() => rm(folder, { recursive: true }))
      const configFile = join(folder, 'trackalert.conf')
      await writeFile(configFile, runnable(text, {}))
      const { settings, thread } = await loadConfiguration({
        configFile,
        stateDirectoryFromEnvironment: undefined,
        environment: {},
      })
      t.after(() => thread.stop())
      assert.ok(Object.isFrozen(settings))
    })

    if (!text.includes('setReport')) continue
    test(`${name} of ${page} takes reports without an error`, async (t) => {
      const server = await startServer(t, {
        configuration: BASE_CONFIGURATION + runnable(text, await receivers(t)),
      })
      for (const report of REPORTS) assert.equal((await server.post('/command/report', report)).status, 200)
      await allRun(server)
      await further[name]?.(server)
      const status = await server.stop()
      assert.doesNotMatch(server.output, /a Lua function failed| error /)
      assert.equal(status.code, 0, server.output)
    })
  }
})

/** Other systems that the examples mention, as servers on this machine. */
async function receivers(t: TestContext): Promise<Readonly<Record<string, string>>> {
  const webHooks = await startReceiver(t)
  const reputation = await startReceiver(t, (_request, response) => void response.end('{"score":90}'))
  return {
    'https://alerts.example.com': new URL(webHooks.url).origin,
    'https://reputation.example.com': new URL(reputation.url).origin,
    'http://kafka-rest.example.com:8082': new URL(webHooks.url).origin,
  }
}

/** The example with addresses and files of this machine in the place of those that stand for an operator's. */
function runnable(text: string, replacements: Readonly<Record<string, string>>): string {
  const all = {
    'addListener("127.0.0.1:8084")': '',
    'setWebserverPassword(secret("webserver-password"))': '',
    '/etc/trackalert/cert.pem': join(CERTIFICATES, 'server.pem'),
    '/etc/trackalert/key.pem': join(CERTIFICATES, 'server-key.pem'),
    // No DNS server listens there: the look-up fails at once.
    '"192.0.2.53", 53': '"127.0.0.1", 9',
    ...replacements,
  }
  let result = text
  for (const [from, to] of Object.entries(all)) result = result.replaceAll(from, to)
  return result
}
