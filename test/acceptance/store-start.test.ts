import assert from 'node:assert/strict'
import { appendFile, readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { allRun, ANSWER_LUA, ask, report } from '../support/ask-server.ts'
import { BASE_CONFIGURATION, CONFIGURATION, spawnServer, startServer } from '../support/server-process.ts'
import type { ServerProcess } from '../support/server-process.ts'

const POLICY = `${BASE_CONFIGURATION}${ANSWER_LUA}
  newStringStatsDB("logins", 86400, 30, {count="int"})
  local db = getStringStatsDB("logins")
  setReport(function(lt) db:twAdd(lt.login, "count", 1) end)
  setCustomEndpoint("count", function(args) return answer(db:twGet(args.attrs.login, "count")) end)
`
const RECOVER = ['-s', '-C', CONFIGURATION, '--recover'] as const
const LOGINS = 20

const storeOf = ({ folder }: ServerProcess): string => join(folder, 'state', 'store')

/** Reports every login once. */
async function fill(server: ServerProcess): Promise<void> {
  for (let user = 0; user < LOGINS; user++) await report(server, { login: `user${user}` })
  await allRun(server)
}

const restart = (
  t: TestContext,
  { folder }: ServerProcess,
  args?: readonly string[],
): Promise<ServerProcess> =>
  startServer(t, { configuration: POLICY, folder, ...(args === undefined ? {} : { args }) })

/** Starts a server that must not come up: what it said. */
async function refusedStart(t: TestContext, { folder }: ServerProcess): Promise<string> {
  const server = await spawnServer(t, { configuration: POLICY, folder })
  assert.deepEqual(await server.exited, { code: 1, signal: null }, server.output)
  assert.doesNotMatch(server.output, /ready: |listening: /)
  return server.output
}

async function newestFile(directory: string, pattern: RegExp): Promise<string> {
  const name = (await readdir(directory))
    .filter((candidate) => pattern.test(candidate))
    .toSorted()
    .at(-1)
  assert.ok(name !== undefined, `there is no file ${String(pattern)} in ${directory}`)
  return join(directory, name)
}

async function flipByte(path: string, share: number): Promise<void> {
  const bytes = await readFile(path)
  const at = Math.floor(bytes.length * share)
  bytes[at] = (bytes[at] ?? 0) ^ 0x10
  await writeFile(path, bytes)
}

async function countedLogins(server: ServerProcess): Promise<number> {
  let counted = 0
  for (let user = 0; user < LOGINS; user++) {
    const count = await ask(server, 'count', { login: `user${user}` })
    assert.ok(count === 0 || count === 1, `user${user} counts ${String(count)} times`)
    counted += count
  }
  return counted
}

test('the state directory is for its owner alone', async (t) => {
  const server = await startServer(t, { configuration: POLICY })
  const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777
  assert.equal(await modeOf(join(server.folder, 'state')), 0o700)
  assert.equal(await modeOf(storeOf(server)), 0o700)
})

test('a second server on the same state directory ends with status 1 and says why; the first goes on', async (t) => {
  const first = await startServer(t, { configuration: POLICY })
  const output = await refusedStart(t, first)
  assert.match(
    output,
    /trackalert: the store is in use by another server: .*held by a running server; stop that one/,
  )
  await fill(first)
  assert.equal(await countedLogins(first), LOGINS)
})

test('kill -9 leaves no lock behind, and the next server finds everything', async (t) => {
  let server = await startServer(t, { configuration: POLICY })
  await fill(server)
  for (let round = 0; round < 3; round++) {
    await server.stop('SIGKILL')
    server = await restart(t, server)
  }
  assert.equal(await countedLogins(server), LOGINS)
})

const harms = [
  { name: 'a flipped byte in a table', pattern: /\.ldb$/, share: 0.3 },
  { name: 'a flipped byte in the log', pattern: /\.log$/, share: 0.1 },
] as const

for (const { name, pattern, share } of harms) {
  test(`${name}: the start is refused and changes nothing; --recover says what it set aside and what it kept`, async (t) => {
    // Opening puts what the last process left in the log into a table: here are both.
    let server = await startServer(t, { configuration: POLICY })
    await fill(server)
    await server.stop('SIGTERM')
    server = await restart(t, server)
    await fill(server)
    await server.stop('SIGKILL')
    const before = await readdir(storeOf(server))
    await flipByte(await newestFile(storeOf(server), pattern), share)

    const output = await refusedStart(t, server)
    assert.match(output, /trackalert: the store is damaged: .*\.(ldb|log).*--recover/)
    await refusedStart(t, server)
    assert.deepEqual(await readdir(storeOf(server)), before)

    const recovered = await restart(t, server, RECOVER)
    const said =
      /the store was damaged; it was set aside, .*setAside="([^"]+)".*kept="(\d+)".*dropped="(\d+)"/.exec(
        recovered.output,
      )
    assert.ok(said !== null, recovered.output)
    const [, setAside = '', kept] = said
    assert.match(setAside, /store\.damaged-\d{8}T\d{6}Z$/)
    assert.deepEqual(await readdir(setAside), before)
    assert.ok(Number(kept) > 0)
    const answer = await ask(recovered, 'count', { login: 'user0' })
    assert.ok(answer === 0 || answer === 1 || answer === 2)
    await report(recovered, { login: 'afterwards' })
    await allRun(recovered)
    assert.equal(await ask(recovered, 'count', { login: 'afterwards' }), 1)

    await recovered.stop('SIGTERM')
    const ordinary = await restart(t, recovered)
    assert.equal(await ask(ordinary, 'count', { login: 'afterwards' }), 1)
  })
}

test('a last write that was cut short opens; only it is missing, and the log says so', async (t) => {
  const server = await startServer(t, { configuration: POLICY })
  await fill(server)
  await server.stop('SIGKILL')
  const log = await newestFile(storeOf(server), /\.log$/)
  await truncate(log, (await stat(log)).size - 3)
  const again = await restart(t, server)
  assert.match(
    again.output,
    /the last write before a crash was cut short; nothing in it had been acknowledged: bytes="\d+"/,
  )
  // Here the torn write had been acknowledged, as only a disk that lies can do it: one outcome, whose report runs again.
  await allRun(again)
  assert.equal(await countedLogins(again), LOGINS)
})

test('--recover with a sound store does nothing', async (t) => {
  const server = await startServer(t, { configuration: POLICY })
  await fill(server)
  await server.stop('SIGTERM')
  const again = await restart(t, server, RECOVER)
  assert.doesNotMatch(again.output, /set aside/)
  assert.equal(await countedLogins(again), LOGINS)
})

test('a damaged lock does not keep the server from starting', async (t) => {
  const server = await startServer(t, { configuration: POLICY })
  await fill(server)
  await server.stop('SIGKILL')
  await appendFile(await newestFile(join(server.folder, 'state', 'store.lock'), /^CURRENT$/), 'x')
  assert.equal(await countedLogins(await restart(t, server)), LOGINS)
})
