/** Looking at a configuration: everything that is wrong is found, and nothing outside changes. */
import assert from 'node:assert/strict'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { inspectConfiguration } from '../../../src/config/inspect-configuration.ts'
import type { Inspection, InspectionMode } from '../../../src/config/inspection.ts'
import { listenLocal } from '../../support/listen-local.ts'

const POLICIES = fileURLToPath(new URL('../../../conf/policies', import.meta.url))
const CERTIFICATES = fileURLToPath(new URL('../../fixtures/tls/private-ca/', import.meta.url))
const KEY = Buffer.alloc(32, 7).toString('base64')

interface Looked {
  readonly inspection: Inspection
  readonly folder: string
  /** `LINE: MESSAGE` of every mistake. */
  readonly mistakes: readonly string[]
}

async function look(
  t: TestContext,
  source: string,
  {
    mode = 'check',
    folder = newFolder(t),
  }: { readonly mode?: InspectionMode; readonly folder?: string } = {},
): Promise<Looked> {
  const configFile = join(folder, 'trackalert.conf')
  writeFileSync(configFile, source)
  const inspection = await inspectConfiguration({
    mode,
    configFile,
    stateDirectoryFromEnvironment: undefined,
    environment: { HOME: '/home/ann' },
  })
  const mistakes = inspection.mistakes.map(({ file, line, message }) => {
    assert.ok(file === undefined || file === configFile, file)
    return `${line}: ${message}`
  })
  return { inspection, folder, mistakes }
}

function newFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'trackalert-inspect-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

const wrongLines: readonly (readonly [line: string, message: RegExp])[] = [
  ['addListener("127.0.0.1:99999", false, "", "", {})', /has a port over 65535/],
  [
    'addListener("127.0.0.1:8084", false, "", "", {})',
    /^\d+: something else listens on 127\.0\.0\.1 port 8084/,
  ],
  ['controlSocket("127.0.0.1:8084")', /an HTTP listener has 127\.0\.0\.1 port 8084 already/],
  ['addListener("127.0.0.1:1", true, "/none.pem", "/none.key", {})', /certificateFile cannot be read/],
  [
    `addListener("127.0.0.1:2", true, "${CERTIFICATES}server.pem", "${CERTIFICATES}client-key.pem", {})`,
    /does not belong to the certificate/,
  ],
  [
    `setCurlClientCertAndKey("${CERTIFICATES}client.pem", "${CERTIFICATES}server-key.pem")`,
    /is not the unencrypted PEM key/,
  ],
  ['addAcl("127.0.0.1")', /attempt to call a nil value \(global 'addAcl'\)/],
  ['string.fromat("x")', /attempt to call a nil value \(field 'fromat'\)/],
  ['setACL({"x"})', /"x" is no netmask/],
  ['setWebHookTimeoutSecs(0)', /from 1 to 300/],
  ['newGeoIP2DB("City", "/none.mmdb")', /\/none\.mmdb/],
  ['setKey("c2hvcnQ=")', /32 bytes/],
  ['addCustomWebHook("w", {url="ftp://a/"})', /http/],
  ['addAlertSink("a", "exec", {argv="true"})', /alert sink "a": argv must begin with the absolute path/],
  [
    'addAlertSink("s", "syslog", {host="::1", transport="tls", ca="/none.pem"})',
    /alert sink "s": ca cannot be read/,
  ],
  [
    `addAlertSink("t", "syslog", {host="::1", transport="tls", ca="${CERTIFICATES}server-key.pem"})`,
    /alert sink "t": ca: .*there is no PEM certificate in it/,
  ],
  ['cronScheduleBackgroundFunc("* * * * *", "x")', /there is no background function "x"/],
  ['newStringStatsDB("db", 0, 6, {a="int"})', /window size/],
  ['newStringStatsDB("db", 60, 6, {a="itn"})', /unknown type "itn"/],
  ['secret("../x")', /is no name for a secret/],
  ['function f() runCustomWebHook("nobody", "x") end', /there is no webhook "nobody"/],
  ['function f() incCustomStat("nothing") end', /there is no counter "nothing"/],
  ['function f() getGeoIP2DB("None") end', /there is no GeoIP database "None"/],
  ['function f() return getStringStatsDB("none") end', /there is no trend database "none"/],
  ['local x = nil; x.y = 1', /attempt to index a nil value/],
]

test('every mistake is found in one look, each with its line', async (t) => {
  const first = 'addListener("127.0.0.1:8084", false, "", "", {})'
  const { mistakes, inspection } = await look(t, [first, ...wrongLines.map(([line]) => line)].join('\n'))
  assert.equal(mistakes.length, wrongLines.length, mistakes.join('\n'))
  for (const [index, [, message]] of wrongLines.entries()) {
    const found = mistakes[index] ?? ''
    assert.match(found, message)
    assert.ok(found.startsWith(`${index + 2}: `), found)
  }
  assert.equal(inspection.ranToEnd, false)
})

test('a syntax error is one mistake', async (t) => {
  const { mistakes } = await look(t, 'addACL("127.0.0.1"\nsetACL("x")')
  assert.equal(mistakes.length, 1)
  assert.match(mistakes[0] ?? '', /^2: .*expected/)
})

describe('what is no mistake is not reported', () => {
  const sources: Readonly<Record<string, string>> = {
    'the shipped configuration': readFileSync(
      new URL('../../../conf/trackalert.conf', import.meta.url),
      'utf8',
    ),
    'a call whose error is expected':
      'if not pcall(newGeoIP2DB, "City", "/none") then newGeoIP2DB("City") end',
    'the same within a function': 'local ok = pcall(function() addACL("x") nothing() end) assert(not ok)',
    'a webhook whose definition was not reached':
      'if nil then addCustomWebHook("w", {url="http://h/"}) end function f() runCustomWebHook("w", "") end',
    'names in comments and texts': '-- runCustomWebHook("w")\nx = [[runCustomWebHook("w")]]',
    'two listeners on free ports':
      'addListener("127.0.0.1:0", false, "", "", {}) addListener("127.0.0.1:0", false, "", "", {})',
    'a secret that the first start will make': 'setWebserverPassword(secret("password"))',
  }
  for (const [what, source] of Object.entries(sources)) {
    test(what, async (t) => {
      const folder = newFolder(t)
      // The shipped configuration requires the modules beside it.
      cpSync(POLICIES, join(folder, 'policies'), { recursive: true })
      const { mistakes, inspection } = await look(t, source, { folder })
      assert.deepEqual(mistakes, [])
      assert.equal(inspection.ranToEnd, true)
    })
  }
})

test('a loop of mistakes ends in a bounded list', async (t) => {
  const { mistakes } = await look(t, 'for i = 1, 100000 do addACL("x" .. i) end')
  assert.equal(mistakes.length, 1000)
})

for (const mode of ['client', 'check'] as const) {
  test(`${mode}: files, other systems and secrets stay as they are`, async (t) => {
    let requests = 0
    const server = createServer((_request, response) => {
      requests++
      response.end('answer')
    })
    const port = await listenLocal(t, server)
    const folder = newFolder(t)
    writeFileSync(join(folder, 'kept.txt'), 'kept')
    const source = `
      local path = "${folder}/"
      local f = assert(io.open(path .. "new.txt", "w"))
      assert(f:write("x")) assert(f:close())
      local g = assert(io.open(path .. "kept.txt", "a")) g:write("more") g:close()
      assert(io.open(path .. "kept.txt")):close()
      kept = io.open(path .. "kept.txt"):read("*a")
      io.output(path .. "out.txt") io.write("x")
      os.remove(path .. "kept.txt") os.rename(path .. "kept.txt", path .. "moved.txt")
      os.tmpname()
      print("seen?") io.stdout:write("seen?") errorLog("seen?", {})
      pcall(os.execute, "touch " .. path .. "executed") pcall(os.exit)
      local status, reason = http.request{url="http://127.0.0.1:${port}/"}
      assert(status == nil and reason)
      local resolver = newDNSResolver("r")
      assert(#resolver:lookupAddrByName("example.com") == 0)
      pcall(secret, "password")
      controlSocket("0.0.0.0")
      setKey("${KEY}")
      assert(kept == "kept" and os.getenv("HOME") == "/home/ann")
    `
    const { inspection, mistakes } = await look(t, source, { mode, folder })
    assert.deepEqual(mistakes, [])
    assert.deepEqual(readdirSync(folder).toSorted(), ['kept.txt', 'trackalert.conf'])
    assert.equal(readFileSync(join(folder, 'kept.txt'), 'utf8'), 'kept')
    assert.equal(requests, 0)
    assert.deepEqual(
      [inspection.controlSocket, inspection.controlKey],
      [{ host: '0.0.0.0', port: 5199 }, KEY],
    )
  })
}

test('a client gets address and key past mistakes that do not concern it, and opens no file of the server', async (t) => {
  const { inspection } = await look(
    t,
    `newGeoIP2DB("City", "/none.mmdb") addACL("x") nothing()
     addAlertSink("log", "syslog", {host="::1", transport="tls", ca="/none.pem"})
     controlSocket("127.0.0.1:6000") setKey("${KEY}") local x = nil; x.y = 1`,
    { mode: 'client' },
  )
  assert.deepEqual([inspection.controlSocket?.port, inspection.controlKey], [6000, KEY])
  assert.ok(!inspection.mistakes.some(({ message }) => /none\.(?:mmdb|pem)/.test(message)))
})

test('a client that needs a secret which is not there yet is told who makes it', async (t) => {
  const { mistakes } = await look(t, 'setKey(secret("key"))', { mode: 'client' })
  assert.match(mistakes[0] ?? '', /secrets\/key yet; the server makes it at its first start/)
})

test('a client that may not look where a secret is hears that, and not that there is none', async (t) => {
  const folder = newFolder(t)
  mkdirSync(join(folder, 'state'))
  // Stands for a folder of another user: root, who may run the tests, can look into all of these.
  symlinkSync('secrets', join(folder, 'state', 'secrets'))
  const source = 'setKey(secret("key"))'
  const { mistakes } = await look(t, source, { mode: 'client', folder })
  assert.match(
    mistakes[0] ?? '',
    /secrets\/key cannot be read: ELOOP.*; run the command as the server's user/,
  )
  // Whoever only checks the file may not see secrets, which is no mistake of it.
  assert.deepEqual((await look(t, `setWebserverPassword(secret("password"))`, { folder })).mistakes, [])
})

test('a file that is not there is an error that says how to name another', async () => {
  const looking = inspectConfiguration({
    mode: 'check',
    configFile: '/nonexistent/trackalert.conf',
    stateDirectoryFromEnvironment: undefined,
    environment: {},
  })
  await assert.rejects(looking, {
    code: 'TRK_CONFIG_INVALID',
    message: /\/nonexistent\/.*; -C FILE names another$/,
  })
})
