/** Nothing that is secret may be seen: not in the log, however verbose, not in an answer, not in the process list. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { call } from '../support/http-client.ts'
import { privateCa } from '../support/private-ca.ts'
import { basicAuth, spawnServer, startServer } from '../support/server-process.ts'
import { startReceiver } from '../support/web-hook-receiver.ts'

const PASSWORD = 'WebserverPassword4711'
const KEY = Buffer.from('ControlKey4711ControlKey4711Cont').toString('base64')

/** Every place of the configuration where a secret can stand; `failing` asks for what goes wrong, too. */
function configuration(hookUrl: string, failingUrl: string): string {
  const withUser = (url: string): string => url.replace('//', '//UrlUser4711:UrlPassword4711@')
  return `
    addListener("127.0.0.1:0", false, "", "", {})
    setWebserverPassword("${PASSWORD}")
    controlSocket("127.0.0.1:0")
    setKey("${KEY}")
    setCurlCABundleFile("${privateCa.caFile}")
    addCustomStat("calls")
    local made = secret("made")
    addCustomWebHook("good", { url = "${withUser(hookUrl)}", secret = "HookSecret4711", ["api-key"] = "ApiKey4711" })
    addCustomWebHook("bad", { url = "${failingUrl}", secret = made, ["basic-auth"] = "AuthUser4711:AuthPassword4711" })
    setReport(function(lt)
      incCustomStat("calls")
      runCustomWebHook("good", lt.login) runCustomWebHook("bad", lt.login)
      http.request{url="${withUser(failingUrl)}", headers={Authorization="Bearer Bearer4711"}}
      infoLog("done", { login = lt.login })
      if lt.login == "fails" then error("on purpose") end
    end)
    setCustomEndpoint("fails", function(args) http.request{} return true end)`
}

const SECRETS = [
  PASSWORD,
  KEY,
  'UrlPassword4711',
  'UrlUser4711',
  'HookSecret4711',
  'ApiKey4711',
  'AuthPassword4711',
  'Bearer4711',
]

test('no secret is in the log at -v, in an answer, in the metrics or in the process list', async (t) => {
  const good = await startReceiver(t)
  const bad = await startReceiver(t, (_request, response) => response.writeHead(401).end())
  const server = await startServer(t, {
    configuration: configuration(good.url, bad.url),
    args: ['-s', '-v', '-C', 'CONF'],
  })
  const authorization = basicAuth(PASSWORD)
  const answers: string[] = []
  const ask = async (
    method: string,
    path: string,
    headers = { authorization },
    body?: string,
  ): Promise<void> => {
    const answer = await call(server.url, { method, path, headers, ...(body === undefined ? {} : { body }) })
    answers.push(JSON.stringify(answer.headers), answer.body)
  }
  for (const login of ['works', 'fails']) {
    const report = JSON.stringify({ login, remote: '192.0.2.1', success: true, pwhash: 'PwHash4711' })
    await ask('POST', '/command/report', { authorization }, report)
    await server.waitFor(new RegExp(`done: login="${login}"`))
  }
  await good.waitForCount(1)
  await bad.waitForCount(3)
  await server.waitFor(/given up: .*hook="bad"/)
  await ask('POST', '/command/fails', { authorization }, '{}')
  await ask('POST', '/command/report', { authorization }, `{"login":"x","pwhash":"PwHash4711`)
  await ask('GET', '/command/stats', { authorization: basicAuth(`${PASSWORD}x`) })
  for (const path of ['/command/stats', '/metrics', '/openapi.json', '/?command=none']) await ask('GET', path)
  const commandLine = await readFile(`/proc/${server.child.pid}/cmdline`, 'latin1').catch(() => '')
  await server.stop()

  const made = (await readFile(join(server.folder, 'state/secrets/made'), 'utf8')).trim()
  for (const secret of [...SECRETS, 'PwHash4711', made]) {
    for (const form of [secret, Buffer.from(secret).toString('base64')]) {
      assert.ok(!server.output.includes(form), `${secret} is in the log`)
      assert.ok(!answers.some((answer) => answer.includes(form)), `${secret} is in an answer`)
      assert.ok(!commandLine.includes(form), `${secret} is in the process list`)
    }
  }
  assert.match(server.output, /given up: .*url="http:\/\/127\.0\.0\.1/)
})

for (const [what, line] of [
  ['a key that is none', 'setKey("Secret4711")'],
  ['a webhook without a server', 'addCustomWebHook("x", { url = "http://u:Secret4711@" })'],
  [
    'a webhook with a wrong key',
    'addCustomWebHook("x", { url = "http://h/", secret = "Secret4711", wrong = "1" })',
  ],
  ['a password of a wrong type', 'setWebserverPassword({ "Secret4711" })'],
] as const) {
  test(`${what} ends the start without being repeated`, async (t) => {
    const server = await spawnServer(t, { configuration: line })
    assert.equal((await server.exited).code, 1)
    assert.match(server.output, /trackalert\.conf:1: /)
    assert.doesNotMatch(server.output, /Secret4711/)
  })
}
