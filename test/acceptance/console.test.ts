/** The console of the real server, through the control socket: what commands answer and what lines do. */
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { connectConsole, CONTROL_CONFIGURATION, CONTROL_KEY, type Ask } from '../support/console-client.ts'
import { BASE_CONFIGURATION, PASSWORD, startServer, type ServerProcess } from '../support/server-process.ts'
import { startReceiver } from '../support/web-hook-receiver.ts'

const REPORT = { login: 'ann', remote: '192.0.2.1', success: true }

const POLICY = `
setNumReportThreads(2)
addCustomStat("seen")
addCustomStat("other")
newStringStatsDB("logins", 600, 6, { count = "int", agents = "seen", last = "last" })
limit = 1
setReport(function(lt)
  if lt.login == "bad" then error("no such login") end
  if lt.login == "calls" then stats() end
  local db = getStringStatsDB("logins")
  db:twAdd(lt.login, "count", 1)
  db:twAdd(lt.login, "agents", "agent")
  incCustomStat("seen")
  if lt.login == "limit" then infoLog("the limit is " .. limit) end
end)
setCustomEndpoint("second", function(args) return true, {} end)
setCustomEndpoint("first", function(args) return true, {} end)
`

interface Rig {
  readonly server: ServerProcess
  readonly ask: Ask
}

async function startRig(t: TestContext, more = ''): Promise<Rig> {
  const server = await startServer(t, {
    configuration: BASE_CONFIGURATION + CONTROL_CONFIGURATION + POLICY + more,
  })
  return { server, ask: await connectConsole(t, server) }
}

/** Asks until the answer is the one that is wanted. */
async function eventually(ask: Ask, line: string, wanted: RegExp): Promise<string> {
  const endMs = performance.now() + 20_000
  for (;;) {
    const answer = await ask(line)
    if (wanted.test(answer)) return answer
    if (performance.now() > endMs) assert.fail(`${line} still answers ${answer}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

describe('commands of the console', () => {
  test('answer as the reference does', async (t) => {
    const { server, ask } = await startRig(t)
    for (let count = 0; count < 3; count++) await server.post('/command/report', REPORT)
    assert.equal((await server.post('/command/first', {})).status, 200)
    const version = (await ask('showVersion()')).trim()
    const cases: readonly (readonly [string, string])[] = [
      ['stats()', '3 reports\n'],
      ['showCommandStats()', 'first=1\nreport=3\n'],
      ['showCustomEndpoints()', 'Custom Endpoint\nfirst\nsecond\n'],
      ['showCustomWebHooks()', 'ID        Name                 Successes Failures  URL\n'],
      ['testCrypto("some text")', 'Everything is ok!\n'],
      ['return "a".."b"', 'ab'],
      ['return 1', '1'],
    ]
    for (const [line, answer] of cases) assert.equal(await ask(line), answer, line)
    assert.match(version, /^trackalert \d+\.\d+\.\d+/)
    assert.match(await ask('makeKey()'), /^setKey\("[A-Za-z0-9+/]{43}="\)\n$/)
    assert.notEqual(await ask('makeKey()'), await ask('makeKey()'))
    assert.equal(await eventually(ask, 'showCustomStats()', /seen=3/), 'other=0\nseen=3\n')
    assert.match(
      await ask('showPerfStats()'),
      /^WTW_0_1=\d+\nWTW_1_10=\d+\nWTW_10_100=\d+\nWTW_100_1000=\d+\nWTW_Slow=\d+\nWTR_0_1=\d+\nWTR_1_10=\d+\nWTR_10_100=\d+\nWTR_100_1000=\d+\nWTR_Slow=\d+\n$/,
    )
  })

  test('show what the store keeps, and act on it', async (t) => {
    const { server, ask } = await startRig(t)
    await server.post('/command/report', { ...REPORT, login: 'bad' })
    await server.post('/command/report', REPORT)
    const failed = await eventually(ask, 'showFailedReports()', /no such login/)
    assert.match(failed, /^ID {8}Failed/)
    const [, id] = /^(\d+) .*bad/m.exec(failed) ?? []
    assert.equal(await ask(`rerunFailedReport(${id})`), 'true')
    await eventually(ask, 'showFailedReports()', /no such login/)
    assert.equal(await ask('rerunFailedReport(999)'), 'false\tthere is no failed report 999')
    assert.match(await ask('resendDeadLetter(999)'), /^false\tthere is no webhook that was given up/)
    assert.match(await ask('showDeadLetters()'), /^ID .*Reason\n$/)
    assert.match(await eventually(ask, 'showStatsDBs()', /logins .* 1 /), /6 x 600 s.*count:int agents:seen/)
    assert.match(await ask('showStatsDBKey("logins", "ann")'), /count = 1/)
    assert.match(
      await ask('showStatsDBKey("nothing", "ann")'),
      /^Error: .*there is no trend database "nothing"/,
    )
    assert.match(await ask('getReports{ login = "ann" }'), /login = "ann"/)
    assert.match(await ask('showWebHookQueue()'), /0 webhooks and notifications wait or are under way\n$/)
    const workers = await ask('showWorkers()')
    assert.equal(workers.match(/^\d +running +0 +0$/gm)?.length, 2, workers)
  })

  test('help with every function, and name what can be completed', async (t) => {
    const { ask } = await startRig(t)
    assert.match(await ask('help("addACL")'), /^addACL\(netmask\)\n {2}Adds a netmask/)
    assert.match(await ask('help("twAdd")'), /^db:twAdd\(/)
    assert.match(
      await ask('help("ACL")'),
      /^Error: .*there is no function "ACL"; there is showACL, setACL, addACL/,
    )
    const names = (await ask('consoleNames()')).split('\n')
    for (const name of ['stats', 'string.format', 'limit', 'ComboAddress:tostring', 'http.request']) {
      assert.ok(names.includes(name), name)
    }
    const help = await ask('help()')
    for (const usage of ['stats()', 'help(name)', 'runCustomWebHook(name, body)'])
      assert.ok(help.includes(usage))
  })

  test('are a clear error in a policy and in the configuration file', async (t) => {
    const { server, ask } = await startRig(t, 'isCalled, why = pcall(stats)')
    assert.match(await ask('why'), /'stats' is a command of the console and can be called nowhere else/)
    await server.post('/command/report', { ...REPORT, login: 'calls' })
    await server.waitFor(/'stats' is a command of the console/)
  })
})

describe('a line', () => {
  test('changes variables in every policy worker, from the next report on', async (t) => {
    const { server, ask } = await startRig(t)
    assert.equal(await ask('limit = limit + 1'), '')
    assert.equal(await ask('limit'), '2')
    for (let count = 0; count < 12; count++) {
      await server.post('/command/report', { ...REPORT, login: count % 2 === 0 ? 'limit' : `u${count}` })
    }
    await server.waitFor(/(the limit is 2[^]*){6}/)
    assert.doesNotMatch(server.output, /the limit is 1/)
  })

  test('has its effects once, whatever the number of workers', async (t) => {
    const receiver = await startReceiver(t)
    const { server, ask } = await startRig(
      t,
      `setNumReportThreads(4) addCustomWebHook("hook", { url = "${receiver.url}" })`,
    )
    const db = 'getStringStatsDB("logins")'
    assert.equal(
      await ask(
        `incCustomStat("seen") runCustomWebHook("hook", "once") ${db}:twAdd("k", "count", 1) infoLog("logged once") print("shown")`,
      ),
      'shown\n',
    )
    assert.equal(await ask(`${db}:twGet("k", "count")`), '1')
    await receiver.waitForCount(1)
    assert.match(await eventually(ask, 'showCustomWebHooks()', /hook +1 /), /^1 +hook +1 +0 +http/m)
    assert.equal(await ask('showCustomStats()'), 'other=0\nseen=1\n')
    // Whatever would come twice has had its time once a later line has been through every worker.
    await ask('limit = 7')
    await server.post('/command/report', { ...REPORT, login: 'limit' })
    await server.waitFor(/the limit is 7/)
    assert.equal(server.output.match(/logged once/g)?.length, 1)
    assert.equal(server.output.match(/shown/g), null)
    assert.equal(receiver.received.length, 1)
  })

  test('tests an alert sink once, and the sinks are listed with what came of their tries', async (t) => {
    const receiver = await startReceiver(t)
    const { server, ask } = await startRig(
      t,
      `addAlertSink("desk", "webhook", { url = "http://user:hidden1@${new URL(receiver.url).host}/hook", secret = "hidden2" })
       addAlertSink("script", "exec", { argv = {"/bin/sh", "-c", "exit 3"} })`,
    )
    assert.equal(
      await ask('local ok, said = testAlertSink("desk") return tostring(ok) .. " " .. said'),
      'true status 200',
    )
    assert.match(await ask('print(testAlertSink("script"))'), /^false\texit status 3\n$/)
    assert.match(
      await ask('print(testAlertSink("none"))'),
      /^false\tthere is no alert sink "none"; there are desk, script\n$/,
    )
    // Whatever would come twice has had its time once a later line has been through every worker.
    await ask('limit = 7')
    await server.post('/command/report', { ...REPORT, login: 'limit' })
    await server.waitFor(/the limit is 7/)
    assert.equal(receiver.received.length, 1)
    assert.equal(
      await ask('showAlertSinks()'),
      [
        'Name                 Type      Successes Failures  Place',
        `desk                 webhook   0         0         ${receiver.url}`,
        'script               exec      0         0         /bin/sh',
        '',
      ].join('\n'),
    )
    assert.doesNotMatch(await ask('showConfig()'), /hidden\d/)
  })

  test('changes the ACL at once', async (t) => {
    const { server, ask } = await startRig(t)
    assert.equal((await server.post('/command/report', REPORT)).status, 200)
    assert.equal(await ask('setACL{"192.0.2.0/24"}'), '')
    assert.equal((await server.post('/command/report', REPORT)).status, 401)
    assert.equal(await ask('showACL()'), '192.0.2.0/24\n')
    assert.match(await ask('addACL("nonsense")'), /^Error: .*is no netmask/)
    assert.equal(await ask('addACL("127.0.0.0/8")'), '')
    assert.equal((await server.post('/command/report', REPORT)).status, 200)
    assert.equal(await ask('showACL()'), '192.0.2.0/24\n127.0.0.0/8\n')
  })

  test('cannot do what only the configuration file can, and says where', async (t) => {
    const { ask } = await startRig(t)
    for (const line of ['addListener("127.0.0.1:0")', 'setReport(function() end)', 'setKey("x")']) {
      assert.match(
        await ask(line),
        /^Error: .*takes effect only in the configuration file.*reloadConfig\(\)/,
        line,
      )
    }
  })

  test('never shows a secret', async (t) => {
    const { ask } = await startRig(
      t,
      `addCustomWebHook("hook", { url = "http://user:hidden1@127.0.0.1:1/", secret = "hidden2", ["api-key"] = "hidden3" })
       addCustomWebHook("other", { url = "http://127.0.0.1:1/", ["basic-auth"] = "user:hidden4" })`,
    )
    const lines = [
      'showConfig()',
      'showCustomWebHooks()',
      'showWebHookQueue()',
      'help()',
      'setKey("x")',
      'consoleNames()',
    ]
    for (const line of lines) {
      const answer = await ask(line)
      assert.doesNotMatch(answer, /hidden\d/, line)
      for (const secret of [PASSWORD, CONTROL_KEY.toString('base64')])
        assert.ok(!answer.includes(secret), line)
    }
    const config = await ask('showConfig()')
    assert.match(config, /^maxConnections = 10000 connections \(default\)$/m)
    assert.match(config, /^reportThreads = 2$/m)
    assert.match(config, /^webserverPassword = \(hidden\)$/m)
    assert.match(config, /^historyDays = 7 days \(default\)$/m)
    assert.match(config, /^acl = .*10\.0\.0\.0\/8.* \(default\)$/m)
  })

  test('reads the configuration again, is answered, and goes on in the new one', async (t) => {
    const { server, ask } = await startRig(t)
    const file = join(server.folder, 'trackalert.conf')
    const before = await readFile(file, 'utf8')
    await ask('limit = 7')
    assert.equal(await ask('addACL("198.51.100.0/24")'), '')
    await writeFile(file, `${before}\nx = = 1`)
    assert.match(
      await ask('reloadConfig()'),
      /^Error: .*a command of the console failed: .*trackalert\.conf:/,
    )
    assert.equal(await ask('limit'), '7')
    await writeFile(file, `${before}\nlimit = 12`)
    assert.match(await ask('reloadConfig()'), /^the configuration was loaded again\n$/)
    assert.equal(await ask('limit'), '12')
    assert.doesNotMatch(await ask('showACL()'), /198\.51\.100/)
    assert.equal(await ask('reloadGeoIPDBs()'), 'reloadGeoIPDBs() successful\n')
  })

  test('sets the log level', async (t) => {
    const { server, ask } = await startRig(t)
    assert.equal(await ask('setLogLevel(4)'), 'log level 4\n')
    await ask('infoLog("too quiet") warnLog("loud enough")')
    await server.waitFor(/loud enough/)
    assert.doesNotMatch(server.output, /too quiet/)
    assert.match(await ask('setLogLevel(8)'), /^Error: /)
  })

  test('stops the server cleanly with shutdown(), and is answered', async (t) => {
    const { server, ask } = await startRig(t)
    assert.equal(await ask('shutdown()'), '')
    assert.deepEqual(await server.exited, { code: 0, signal: null })
    assert.doesNotMatch(server.output, /not stopped cleanly/)
  })

  test('may answer more than fits into one reply: it is cut, and says so', async (t) => {
    const { ask } = await startRig(t)
    const answer = await ask('for i = 1, 20000 do print("line " .. i) end')
    assert.match(answer, /^line 1\nline 2\n/)
    assert.match(answer.split('\n').at(-2) ?? '', /more lines do not fit/)
    assert.equal(await ask('1'), '1')
  })
})

test('a control socket without a key is not opened, and the log says so once', async (t) => {
  const server = await startServer(t, { configuration: `${BASE_CONFIGURATION}controlSocket("127.0.0.1:0")` })
  assert.equal(server.output.match(/without setKey\(\) the control socket is not opened/g)?.length, 1)
  assert.doesNotMatch(server.output, /the control socket is open:/)
})
