import assert from 'node:assert/strict'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { allRun, ANSWER_LUA, ask, askForList, eventually, metric, report } from '../support/ask-server.ts'
import { BASE_CONFIGURATION, startServer, type ServerProcess } from '../support/server-process.ts'

/** The policy fails for as long as there is a file `broken` beside the configuration. */
const CONFIGURATION = `${BASE_CONFIGURATION}${ANSWER_LUA}
  newStringStatsDB("logins", 3600, 24, {count="int", sessions="seen"})
  local db = getStringStatsDB("logins")
  setReport(function(lt)
    db:twAdd(lt.login, "count", 1)
    db:twAdd(lt.login, "sessions", lt.session_id)
    local file = io.open("broken")
    if file then
      file:close()
      error("the rule is broken for " .. lt.login)
    end
  end)
  setCustomEndpoint("count", function(args)
    return answer{count=db:twGet(args.attrs.login, "count"), sessions=#db:twItems(args.attrs.login, "sessions")}
  end)
  setCustomEndpoint("failed", function(args) return answer(getFailedReports(tonumber(args.attrs.limit))) end)
  setCustomEndpoint("rerun", function(args) return answer(rerunFailedReport(tonumber(args.attrs.id))) end)
`

interface Failed {
  readonly id: number
  readonly failed: number
  readonly code: string
  readonly message: string
  readonly traceback: string
  readonly report: Readonly<Record<string, unknown>>
}

async function start(t: TestContext): Promise<ServerProcess> {
  return startServer(t, { configuration: CONFIGURATION, files: { broken: '' } })
}

const restart = (t: TestContext, { folder }: ServerProcess): Promise<ServerProcess> =>
  startServer(t, { configuration: CONFIGURATION, folder })

const failedCount = (server: ServerProcess): Promise<number> => metric(server, 'trackalert_failed_reports')

const failedReports = (server: ServerProcess): Promise<readonly Failed[]> =>
  askForList<Failed>(server, 'failed', { limit: '100' })

test('a report whose policy raises is kept with what went wrong, leaves no trend, and survives kill -9', async (t) => {
  let server = await start(t)
  await report(server, { login: 'ann', session_id: 's1', attrs: { app: 'imap' }, policy_reject: true })
  await allRun(server)
  assert.equal(await failedCount(server), 1)

  const check = async (): Promise<void> => {
    const [failed, ...others] = await failedReports(server)
    assert.ok(failed !== undefined)
    assert.equal(others.length, 0)
    assert.equal(failed.code, 'TRK_LUA_ERROR')
    assert.match(failed.message, /trackalert\.conf:\d+: the rule is broken for ann/)
    assert.match(failed.traceback, /stack traceback:[^]*trackalert\.conf:\d+/)
    assert.ok(Math.abs(failed.failed - Date.now() / 1000) < 60)
    const { login, remote, session_id: session, policy_reject: reject, attrs } = failed.report
    assert.deepEqual(
      { login, remote, session, reject, attrs },
      { login: 'ann', remote: '192.0.2.7', session: 's1', reject: true, attrs: { app: 'imap' } },
    )
    assert.deepEqual(await ask(server, 'count', { login: 'ann' }), { count: 0, sessions: 0 })
  }
  await check()
  await server.stop('SIGKILL')
  server = await restart(t, server)
  assert.equal(await failedCount(server), 1)
  await check()
})

test('a failed report that is run again after the mistake was mended counts once', async (t) => {
  let server = await start(t)
  await report(server, { login: 'ann', session_id: 's1' })
  await eventually('the report does not fail', async () => (await failedCount(server)) === 1)
  const [first] = await failedReports(server)
  assert.ok(first !== undefined)

  assert.equal(await ask(server, 'rerun', { id: String(first.id) }), true)
  await allRun(server)
  const [second] = await failedReports(server)
  assert.equal(second?.id, first.id, 'it fails again as long as the mistake is there')
  assert.ok(second.failed >= first.failed)

  await rm(join(server.folder, 'broken'))
  assert.equal(await ask(server, 'rerun', { id: String(first.id) }), true)
  await allRun(server)
  assert.equal(await failedCount(server), 0)
  assert.deepEqual(await failedReports(server), [])
  assert.deepEqual(await ask(server, 'count', { login: 'ann' }), { count: 1, sessions: 1 })

  assert.equal(await ask(server, 'rerun', { id: String(first.id) }), false, 'it is no failed report any more')
  await server.stop('SIGKILL')
  server = await restart(t, server)
  await allRun(server)
  assert.deepEqual(await ask(server, 'count', { login: 'ann' }), { count: 1, sessions: 1 })
})

test('a re-run that was asked for right before kill -9 takes place once, after the restart if not before', async (t) => {
  let server = await start(t)
  await report(server, { login: 'ann', session_id: 's1' })
  await eventually('the report does not fail', async () => (await failedCount(server)) === 1)
  const [failed] = await failedReports(server)
  await rm(join(server.folder, 'broken'))
  assert.equal(await ask(server, 'rerun', { id: String(failed?.id) }), true)
  await server.stop('SIGKILL')
  server = await restart(t, server)
  await allRun(server)
  assert.equal(await failedCount(server), 0)
  assert.deepEqual(await ask(server, 'count', { login: 'ann' }), { count: 1, sessions: 1 })
})

test('failed reports are listed newest first, as many as are asked for; the others go on unharmed', async (t) => {
  const server = await start(t)
  for (const session of ['s1', 's2', 's3']) await report(server, { login: 'ann', session_id: session })
  await eventually('they do not fail', async () => (await failedCount(server)) === 3)
  await rm(join(server.folder, 'broken'))
  await report(server, { login: 'ann', session_id: 's4' })
  await allRun(server)
  await writeFile(join(server.folder, 'broken'), '')

  const sessions = (reports: readonly Failed[]): readonly unknown[] =>
    reports.map(({ report: { session_id: session } }) => session)
  assert.deepEqual(sessions(await failedReports(server)), ['s3', 's2', 's1'])
  assert.deepEqual(sessions(await askForList<Failed>(server, 'failed', { limit: '2' })), ['s3', 's2'])
  assert.deepEqual(await ask(server, 'count', { login: 'ann' }), { count: 1, sessions: 1 })
  assert.equal(await ask(server, 'rerun', { id: '123456' }), false)
})
