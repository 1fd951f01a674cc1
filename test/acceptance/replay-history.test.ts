/** The history of a real server, replayed: the alerts that it raised live, from the running server and after it has stopped. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { allRun } from '../support/ask-server.ts'
import { temporaryDirectory } from '../support/embedded-store.ts'
import { freePort } from '../support/free-port.ts'
import { runProgram } from '../support/program.ts'
import { randomFrom } from '../support/random-from.ts'
import { only, replayed, type ReplayedAlert } from '../support/replayed.ts'
import { BASE_CONFIGURATION, startServer, type ServerProcess } from '../support/server-process.ts'

/** Every kind of field, runs that fail, alerts that are resolved and raised anew; one worker, so that there is one order. */
const POLICY = `
setNumReportThreads(1)
newStringStatsDB("logins", 60, 60, {fail="int", ips="hll", wrong="countmin", seen="seen", usual="last", size="baseline", top="top"})
newStringStatsDB("sources", 3600, 24, {users="hll"})
local logins, sources = getStringStatsDB("logins"), getStringStatsDB("sources")
setReport(function(lt)
  if lt.attrs.fail then error("told to") end
  sources:twAdd(lt.remote, "users", lt.login)
  if sources:twGet(lt.remote, "users") >= 20 then
    raiseAlert{rule="spray", key=lt.remote:tostring(), message="many", value=sources:twGet(lt.remote, "users"), severity="high"}
  end
  logins:twAdd(lt.login, "top", lt.remote)
  if not logins:twSeen(lt.login, "seen", lt.remote) and #logins:twItems(lt.login, "seen") >= 8 then
    raiseAlert{rule="new", key=lt.login, message="new address " .. lt.remote:tostring(), dedup=1}
  end
  logins:twAdd(lt.login, "seen", lt.remote)
  logins:twAdd(lt.login, "usual", lt.remote:tostring())
  logins:twAdd(lt.login, "size", #lt.session_id)
  if lt.success then
    if logins:twGet(lt.login, "fail") >= 3 then resolveAlert{rule="brute", key=lt.login} end
    logins:twResetField(lt.login, "fail")
    return
  end
  logins:twAdd(lt.login, "fail", 1)
  logins:twAdd(lt.login, "wrong", lt.pwhash)
  local failed, same = logins:twGet(lt.login, "fail"), logins:twGet(lt.login, "wrong", lt.pwhash)
  if failed >= 3 and same < failed then
    raiseAlert{rule="brute", key=lt.login, message=string.format("%d failed, %d alike, from %d", failed, same,
      logins:twGet(lt.login, "ips")), user=lt.login, threshold=3, data={last=logins:twLast(lt.login, "usual")}}
  end
  logins:twAdd(lt.login, "ips", lt.remote)
end)
`

interface SentReport {
  readonly login: string
  readonly remote: string
  readonly success: boolean
  readonly [field: string]: unknown
}

/** The same each time; logins that are no UTF-8 among them, and times that are not those of receipt. */
function reports(count: number): readonly SentReport[] {
  const random = randomFrom(11)
  const below = (limit: number): number => Math.floor(random() * limit)
  return Array.from({ length: count }, () => ({
    login: below(20) === 0 ? `caf\udce9${below(3)}` : `user${below(40)}@example.com`,
    remote: below(4) === 0 ? `2001:db8::${below(9)}` : `192.0.2.${below(30)}`,
    success: below(3) === 0,
    pwhash: String(below(5)),
    protocol: 'imap',
    session_id: 's'.repeat(below(30)),
    t: 1_700_000_000 + below(1_000_000),
    ...(below(50) === 0 ? { attrs: { fail: '1' } } : {}),
  }))
}

async function send(server: ServerProcess, all: readonly SentReport[]): Promise<void> {
  for (let from = 0; from < all.length; from += 50) {
    const records = all.slice(from, from + 50).map((value) => ({ value }))
    const answer = await server.post(
      '/command/report',
      { records },
      { 'content-type': 'application/vnd.kafka.json.v2+json' },
    )
    assert.equal(answer.status, 200, await answer.text())
  }
  await allRun(server)
}

async function liveAlerts(server: ServerProcess): Promise<readonly ReplayedAlert[]> {
  const answer = await server.get('/command/alerts?limit=1000')
  const { alerts } = (await answer.json()) as { readonly alerts: readonly ReplayedAlert[] }
  // Those of the server itself, which no policy raised, are not replayed.
  return alerts.filter(({ rule }) => !rule.startsWith('server.')).toSorted((a, b) => a.id - b.id)
}

/** But for their numbers, which those of the server itself are counted among. */
const comparable = (alerts: readonly ReplayedAlert[]): readonly unknown[] =>
  alerts.map((alert) => ({ ...alert, id: 0 }))

test('a replay of the history gives the alerts that the server raised live, from the running server and after it', async (t) => {
  const control = `controlSocket("127.0.0.1:${await freePort()}") setKey("${randomBytes(32).toString('base64')}")`
  const configuration = `${BASE_CONFIGURATION}${control}${POLICY}`
  let server = await startServer(t, { configuration })
  await send(server, reports(2000))
  const live = await liveAlerts(server)
  assert.deepEqual([...new Set(live.map(({ rule }) => rule))].toSorted(), ['brute', 'new', 'spray'])
  assert.ok(live.length > 50, `${live.length}`)
  assert.ok(live.some(({ state }) => state === 'resolved') && live.some(({ count }) => count > 5))
  const { folder: cwd } = server
  const words = ['-C', 'trackalert.conf', '--history']

  const running = await replayed(t, words, { cwd, status: 1 })
  assert.equal(running.reports, 2000)
  assert.ok(only(running).failed_runs > 10)
  assert.match(JSON.stringify(only(running).failures), /told to/)
  assert.deepEqual(comparable(only(running).alerts), comparable(live))

  await server.stop()
  const stopped = await replayed(t, words, { cwd, status: 1 })
  assert.deepEqual(only(stopped).alerts, only(running).alerts)

  // Nothing was changed on the way: the server goes on as if nothing had been.
  server = await startServer(t, { configuration, folder: cwd })
  assert.deepEqual(await liveAlerts(server), live)
})

test('a running server gives its history without a complaint, to a key file that is named from where the command was given', async (t) => {
  const key = randomBytes(32).toString('base64')
  const control = `controlSocket("127.0.0.1:${await freePort()}") setKey("${key}")`
  const server = await startServer(t, { configuration: `${BASE_CONFIGURATION}${control}${POLICY}` })
  await send(server, reports(50))
  const cwd = await temporaryDirectory(t)
  await writeFile(join(cwd, 'key.txt'), key)
  const words = ['-C', join(server.folder, 'trackalert.conf'), '--history']
  const byOption = await replayed(t, [...words, '--key-file', 'key.txt'], { cwd, status: 1 })
  assert.equal(byOption.reports, 50)
  const byEnvironment = await runProgram(t, ['replay', ...words], {
    cwd,
    env: { TRACKALERT_CONTROL_KEY_FILE: 'key.txt' },
  })
  assert.equal(byEnvironment.stderr, '')
  // The policy workers run a line of the console too, and say in the log when it fails there.
  await server.stop()
  assert.doesNotMatch(server.output, /a line of the console failed/)
})

test('a history that is not there, or a server that does not answer, is status 1 and said', async (t) => {
  const server = await startServer(t, { configuration: `${BASE_CONFIGURATION}${POLICY}` })
  const { folder: cwd } = server
  const unreachable = await runProgram(t, ['replay', '-C', 'trackalert.conf', '--history'], { cwd })
  assert.equal(unreachable.code, 1)
  assert.match(unreachable.stderr, /^trackalert: .*controlSocket/)
  const none = await runProgram(t, ['replay', '-C', 'trackalert.conf', '--history'], {
    cwd,
    env: { STATE_DIRECTORY: `${cwd}/elsewhere` },
  })
  assert.equal(none.code, 1)
  assert.match(none.stderr, /elsewhere holds no store/)
  // Stands for a folder of another user: root, who may run the tests, can look into all of these.
  await symlink('hidden', join(cwd, 'hidden'))
  const hidden = await runProgram(t, ['replay', '-C', 'trackalert.conf', '--history'], {
    cwd,
    env: { STATE_DIRECTORY: `${cwd}/hidden` },
  })
  assert.equal(hidden.code, 1)
  assert.match(hidden.stderr, /hidden\/store cannot be read: ELOOP.*; run the command as the server's user$/m)
})
