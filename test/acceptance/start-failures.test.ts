import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { describe, test, type TestContext } from 'node:test'
import { BASE_CONFIGURATION, spawnServer, type ServerProcess } from '../support/server-process.ts'

/** The process must have ended by itself with status 1, and said one thing that matches. */
async function assertRefused(server: ServerProcess, message: RegExp, code = 1): Promise<void> {
  const status = await server.exited
  assert.match(server.output, message)
  assert.deepEqual(status, { code, signal: null }, server.output)
  assert.doesNotMatch(server.output, /listening|\bready:/)
}

const wrongLines: readonly (readonly [what: string, line: string, message: RegExp])[] = [
  ['a syntax error', 'addACL("127.0.0.1/8"', /trackalert\.conf:\d+:.*expected/],
  ['an unknown function', 'addAcl("127.0.0.1/8")', /trackalert\.conf:2:.*addAcl/],
  [
    'a netmask that is none',
    'addACL("127.0.0.1/99")',
    /trackalert\.conf:2:.*"127\.0\.0\.1\/99" is no netmask/,
  ],
  ['an argument of the wrong type', 'setACL("127.0.0.1/8")', /trackalert\.conf:2:.*#1.*setACL.*netmasks/],
  ['a number out of range', 'setWebHookTimeoutSecs(0)', /trackalert\.conf:2:.*setWebHookTimeoutSecs.*300/],
  [
    'a listener without a port',
    'addListener("127.0.0.1", false, "", "", {})',
    /trackalert\.conf:2:.*lacks a port/,
  ],
  [
    'a certificate that is not there',
    'addListener("127.0.0.1:0", true, "/nonexistent.pem", "/nonexistent.key", {})',
    /trackalert\.conf:2:.*certificateFile.*nonexistent\.pem/,
  ],
  [
    'a GeoIP file that is not there',
    'newGeoIP2DB("City", "/nonexistent.mmdb")',
    /trackalert\.conf:2:.*nonexistent\.mmdb/,
  ],
  [
    'a GeoIP file that is none',
    'newGeoIP2DB("City", "trackalert.conf")',
    /trackalert\.conf:2:.*trackalert\.conf/,
  ],
  ['a key that is too short', 'setKey("c2hvcnQ=")', /trackalert\.conf:2:.*32 bytes/],
  ['a webhook without a url', 'addCustomWebHook("w", {})', /trackalert\.conf:2:.*url/],
  [
    'a webhook with an unknown key',
    'addCustomWebHook("w", {url="http://a/", sekret="x"})',
    /trackalert\.conf:2:.*sekret/,
  ],
  ['a webhook that is not http', 'addCustomWebHook("w", {url="ftp://a/"})', /trackalert\.conf:2:.*http/],
  [
    'an alert sink of no type',
    'addAlertSink("s", "pager", {})',
    /trackalert\.conf:2:.*alert sink "s": there is no type "pager"/,
  ],
  [
    'an alert sink with an unknown key',
    'addAlertSink("s", "syslog", {host="192.0.2.1", prot="tcp"})',
    /trackalert\.conf:2:.*alert sink "s": it knows no key "prot"; it takes transport/,
  ],
  [
    'an alert sink with a list in a list',
    'addAlertSink("s", "exec", {argv={{"/bin/true"}}})',
    /trackalert\.conf:2:.*alert sink "s": argv must be a string/,
  ],
  [
    'an alert sink whose authority cannot be read',
    'addAlertSink("s", "syslog", {host="192.0.2.1", transport="tls", ca="/nonexistent.pem"})',
    /trackalert\.conf:2:.*alert sink "s": ca cannot be read: .*nonexistent\.pem/,
  ],
  [
    'an alert sink named twice',
    'for i = 1, 2 do addAlertSink("s", "syslog", {host="192.0.2.1"}) end',
    /trackalert\.conf:2:.*already an alert sink "s"/,
  ],
  [
    'a schedule without its function',
    'cronScheduleBackgroundFunc("* * * * *", "x")',
    /trackalert\.conf:2:.*setBackground/,
  ],
  [
    'a cron pattern that is none',
    'setBackground("x", function() end) cronScheduleBackgroundFunc("61 * * * *", "x")',
    /trackalert\.conf:2:.*61/,
  ],
  ['a run-time error', 'local x = nil; x.y = 1', /trackalert\.conf:2:.*index/],
  ['an error object that is a table', 'error({})', /trackalert\.conf/],
]

describe('a configuration that is wrong ends the start with status 1, one message, file and line', () => {
  for (const [what, line, message] of wrongLines) {
    test(what, async (t) => {
      const server = await spawnServer(t, { configuration: `-- the mistake is in the next line\n${line}\n` })
      await assertRefused(server, message)
      assert.equal(server.output.trim().split('\n').length, 1, server.output)
    })
  }

  test('a missing file', async (t) => {
    const server = await spawnServer(t, {
      configuration: '',
      args: ['-s', '-C', '/nonexistent/trackalert.conf'],
    })
    await assertRefused(server, /\/nonexistent\/trackalert\.conf/)
  })

  test('rules for user agents that are not there', async (t) => {
    const server = await spawnServer(t, {
      configuration: BASE_CONFIGURATION,
      args: ['-s', '-C', 'CONF', '-R', '/nonexistent/regexes.yaml'],
    })
    await assertRefused(server, /\/nonexistent\/regexes\.yaml/)
  })
})

describe('a listener that cannot bind ends the start with status 1', () => {
  async function takenPort(t: TestContext): Promise<number> {
    const holder = createServer()
    await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve))
    t.after(() => holder.close())
    const address = holder.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  }

  test('naming its address, and no other listener stays up', async (t) => {
    const port = await takenPort(t)
    const server = await spawnServer(t, {
      configuration: `${BASE_CONFIGURATION}\naddListener("127.0.0.1:${port}", false, "", "", {})\n`,
    })
    await assertRefused(server, new RegExp(`127\\.0\\.0\\.1:${port}`))
  })
})

describe('the command line', () => {
  test('refuses an unknown option with status 2', async (t) => {
    const server = await spawnServer(t, { configuration: '', args: ['-s', '--frobnicate'] })
    await assertRefused(server, /--frobnicate/, 2)
  })

  test('without -s says what to do, with status 2', async (t) => {
    const server = await spawnServer(t, { configuration: '', args: [] })
    await assertRefused(server, /-s/, 2)
  })

  test('prints its version and its help with status 0', async (t) => {
    const version = await spawnServer(t, { configuration: '', args: ['--version'] })
    await assertRefused(version, /^trackalert \d+\.\d+\.\d+\n$/, 0)
    const help = await spawnServer(t, { configuration: '', args: ['--help'] })
    await assertRefused(help, /--config <file>/, 0)
  })
})
