/** Command line, limits of connections, and what the server says of itself while it stops. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { cp, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { closed, nextText } from '../support/http-client.ts'
import { BASE_CONFIGURATION, ServerProcess, startServer } from '../support/server-process.ts'
import { startReceiver } from '../support/web-hook-receiver.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

function connectTo(url: string): ReturnType<typeof connect> {
  const { hostname, port } = new URL(url)
  return connect(Number(port), hostname)
}

test('-R FILE replaces the rules that are tried first', async (t) => {
  const server = await startServer(t, {
    configuration: `${BASE_CONFIGURATION}
      setReport(function(lt) infoLog("browser", { family = lt.device_attrs["browser.family"] }) end)`,
    files: {
      'own.yaml': `user_agent_parsers:\n  - regex: '(Firefox)/(\\d+)'\n    family_replacement: 'House browser'\n`,
    },
    args: ['-s', '-C', 'CONF', '-R', 'own.yaml'],
  })
  const device = 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0'
  await server.post('/command/report', {
    login: 'ann',
    remote: '192.0.2.1',
    success: true,
    protocol: 'https',
    device_id: device,
  })
  await server.waitFor(/browser: family="House browser"/)
})

test('it starts from a folder with a blank in its name', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'trackalert with blanks '))
  for (const name of ['src', 'package.json', 'regexes.yaml']) {
    await cp(join(ROOT, name), join(folder, name), { recursive: true })
  }
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
  await writeFile(join(folder, 'own.conf'), BASE_CONFIGURATION)
  const server = new ServerProcess(
    folder,
    spawn(process.execPath, ['src/main.ts', '-s', '-C', 'own.conf'], { cwd: folder }),
  )
  t.after(async () => {
    server.child.kill('SIGKILL')
    await server.exited
    await rm(folder, { recursive: true, force: true })
  })
  await server.waitFor(/ready: /)
})

test('setMaxWebserverConns bounds the open connections of all listeners together', async (t) => {
  const server = await startServer(t, {
    configuration: `${BASE_CONFIGURATION}
      addListener("127.0.0.1:0", false, "", "", {})
      setMaxWebserverConns(2)`,
  })
  const [first = '', second = ''] = server.urls
  const ask = 'GET /command/livez HTTP/1.1\r\nHost: x\r\n\r\n'
  const open = []
  for (const url of [first, second]) {
    const socket = connectTo(url)
    t.after(() => socket.destroy())
    socket.write(ask)
    assert.match(await nextText(socket), /^HTTP\/1\.1 200/)
    open.push(socket)
  }
  for (const url of [first, second]) await closed(connectTo(url))
  open[0]?.destroy()
  // The room is there again as soon as the server has seen the end; until then it closes what comes.
  const endMs = performance.now() + 5000
  for (;;) {
    const answer = await fetch(new URL('/command/livez', first), { headers: { connection: 'close' } }).catch(
      () => undefined,
    )
    if (answer?.status === 200) break
    assert.ok(performance.now() < endMs, 'no room was made')
  }
})

test('while it stops readyz answers 503 to those who are still connected, and livez 200', async (t) => {
  const { promise: released, resolve: release } = Promise.withResolvers<void>()
  const gate = await startReceiver(t, (_request, response) => void released.then(() => response.end()))
  const server = await startServer(t, {
    configuration: `${BASE_CONFIGURATION}
      setCustomEndpoint("slow", function() http.request{url="${gate.url}", timeout=20} return true end)`,
  })
  const half = ['readyz', 'livez'].map((name) => {
    const socket = connectTo(server.url)
    t.after(() => socket.destroy())
    socket.write(`GET /command/${name} HTTP/1.1\r\n`)
    return socket
  })
  const slow = server.post('/command/slow', {})
  await gate.waitForCount(1)
  server.child.kill('SIGTERM')
  await server.waitFor(/stopping: why="SIGTERM"/)
  const answers = []
  for (const socket of half) {
    socket.write('Host: x\r\n\r\n')
    answers.push(await nextText(socket))
  }
  assert.match(answers[0] ?? '', /^HTTP\/1\.1 503 [\s\S]*"reason":"The server is stopping"/)
  assert.match(answers[1] ?? '', /^HTTP\/1\.1 200 /)
  release()
  assert.equal((await slow).status, 200)
  assert.deepEqual(await server.exited, { code: 0, signal: null })
})

test('a background function that is due again before it has ended is left out, and counted', async (t) => {
  const slow = await startReceiver(t, (_request, response) => void setTimeout(() => response.end(), 1500))
  const server = await startServer(t, {
    configuration: `${BASE_CONFIGURATION}
      setBackground("long", function()
        infoLog("long begins", {}) http.request{url="${slow.url}", timeout=5} infoLog("long ends", {})
      end)
      intervalScheduleBackgroundFunc("00:00:01", "long")`,
  })
  await server.waitFor(/left out: function="long"/)
  await server.waitFor(/long ends[\s\S]*long begins/)
  const events = Array.from(server.output.matchAll(/long (begins|ends)/g), ([, event]) => event)
  assert.deepEqual(events, ['begins', 'ends', 'begins'])
  const metrics = await (await server.get('/metrics')).text()
  assert.match(metrics, /^trackalert_background_skipped_total\{function="long"\} [1-9]/m)
})

test('a server whose log nobody reads any more goes on', async (t) => {
  const receiver = await startReceiver(t)
  const server = await startServer(t, {
    configuration: `${BASE_CONFIGURATION}
      addCustomWebHook("seen", { url = "${receiver.url}" })
      setReport(function(lt) infoLog("a line", {}) runCustomWebHook("seen", lt.login) end)`,
  })
  server.child.stdout.destroy()
  server.child.stderr.destroy()
  for (const login of ['one', 'two', 'three']) {
    const answer = await server.post('/command/report', { login, remote: '192.0.2.1', success: true })
    assert.equal(answer.status, 200)
  }
  await receiver.waitForCount(3)
  assert.deepEqual(await server.stop(), { code: 0, signal: null })
})

test('npm start takes another configuration after --', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'trackalert-npm-'))
  await writeFile(join(folder, 'own.conf'), BASE_CONFIGURATION)
  const child = spawn('npm', ['start', '--', '-C', join(folder, 'own.conf')], { cwd: ROOT, detached: true })
  const server = new ServerProcess(folder, child)
  t.after(async () => {
    // npm starts a shell that starts the server: the whole group ends.
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL')
    await server.exited
    await rm(folder, { recursive: true, force: true })
  })
  await server.waitFor(/ready: .*own\.conf/)
  assert.equal((await server.get('/command/stats')).status, 200)
})
