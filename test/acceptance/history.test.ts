import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { test, type TestContext } from 'node:test'
import { allRun, ANSWER_LUA, ask, askForList, eventually, metric, report } from '../support/ask-server.ts'
import { BASE_CONFIGURATION, startServer, type ServerProcess } from '../support/server-process.ts'

const configuration = (more = ''): string => `
  ${BASE_CONFIGURATION}${ANSWER_LUA}
  ${more}
  newStringStatsDB("logins", 3600, 24, {count="int", sessions="seen"})
  newStringStatsDB("networks", 3600, 24, {count="int"})
  local logins, networks = getStringStatsDB("logins"), getStringStatsDB("networks")
  setReport(function(lt)
    if lt.attrs.fail then error("told to") end
    logins:twAdd(lt.login, "count", 1)
    logins:twAdd(lt.login, "sessions", lt.session_id)
    networks:twAdd(lt.remote, "count", 1)
  end)
  setCustomEndpoint("reports", function(args)
    return answer(getReports(cjson.decode(args.attrs.query)))
  end)
  setCustomEndpoint("before", function(args)
    return answer(getReports{since=0, before=tonumber(args.attrs.time)})
  end)
  setCustomEndpoint("failed", function() return answer(getFailedReports(100)) end)
  setCustomEndpoint("forget", function(args) return answer(forgetLogin(args.attrs.login)) end)
  setCustomEndpoint("trends", function(args)
    local login, remote = args.attrs.login, newCA(args.attrs.remote)
    return answer{
      login=logins:twGet(login, "count"), sessions=#logins:twItems(login, "sessions"), remote=networks:twGet(remote, "count")
    }
  end)
`

interface Past {
  readonly id: number
  readonly received: number
  readonly login: string
  readonly remote: string
  readonly success: boolean
  readonly session_id: string
  readonly [field: string]: unknown
}

const reports = (server: ServerProcess, query: object): Promise<readonly Past[]> =>
  askForList<Past>(server, 'reports', { query: JSON.stringify(query) })

const sessionsOf = async (server: ServerProcess, query: object): Promise<string> =>
  (await reports(server, query)).map((past) => past.session_id).join(' ')

/** Six reports of two people from two addresses; the third and the sixth failed logins. */
async function fill(server: ServerProcess): Promise<void> {
  for (let number = 1; number <= 6; number++) {
    await report(server, {
      login: number % 2 === 0 ? 'bob' : 'ann',
      remote: number <= 4 ? '192.0.2.7' : '2001:db8::7',
      success: number % 3 !== 0,
      session_id: `s${number}`,
      attrs: { number: String(number) },
    })
    // Times of receipt are whole milliseconds; each shall have its own.
    await sleep(3)
  }
  await allRun(server)
}

const queries: readonly (readonly [query: object, sessions: string])[] = [
  [{ limit: 10 }, 's6 s5 s4 s3 s2 s1'],
  [{}, 's6 s5 s4 s3 s2 s1'],
  [{ login: 'ann' }, 's5 s3 s1'],
  [{ login: 'Ann' }, ''],
  [{ remote: '192.0.2.7' }, 's4 s3 s2 s1'],
  [{ remote: '2001:db8::7' }, 's6 s5'],
  [{ login: 'bob', remote: '192.0.2.7' }, 's4 s2'],
  [{ success: false }, 's6 s3'],
  [{ success: true, login: 'ann' }, 's5 s1'],
  [{ limit: 2 }, 's6 s5'],
  [{ login: 'ann', limit: 1 }, 's5'],
  [{ success: false, limit: 1 }, 's6'],
  [{ login: 'nobody' }, ''],
]

test('getReports finds past reports by login, address, outcome, time and limit, newest first, after kill -9 too', async (t) => {
  let server = await startServer(t, { configuration: configuration() })
  const beganSeconds = Date.now() / 1000
  await fill(server)
  await server.stop('SIGKILL')
  server = await startServer(t, { configuration: configuration(), folder: server.folder })
  for (const [query, sessions] of queries)
    assert.equal(await sessionsOf(server, query), sessions, JSON.stringify(query))

  const [newest, , , third] = await reports(server, {})
  assert.ok(newest !== undefined && third !== undefined)
  assert.deepEqual(
    { login: newest.login, remote: newest.remote, success: newest.success, attrs: newest['attrs'] },
    { login: 'bob', remote: '2001:db8::7', success: false, attrs: { number: '6' } },
  )
  assert.ok(newest.received >= beganSeconds && newest.received < beganSeconds + 60)
  assert.ok(third.id < newest.id && third.received < newest.received)
  assert.equal(await sessionsOf(server, { since: third.received }), 's6 s5 s4 s3')
  assert.equal(await sessionsOf(server, { until: third.received }), 's2 s1')
  const before = await askForList<Past>(server, 'before', { time: String(third.received) })
  assert.deepEqual(
    before.map((past) => past.session_id),
    ['s2', 's1'],
  )
  assert.equal(await sessionsOf(server, { since: third.received, until: newest.received }), 's5 s4 s3')
  assert.equal(await sessionsOf(server, { login: 'ann', until: newest.received }), 's5 s3 s1')
  assert.equal(await metric(server, 'trackalert_history_reports'), 6)
})

const mistakes: readonly (readonly [query: object, reason: RegExp])[] = [
  [{ user: 'ann' }, /getReports knows no .*user/],
  [{ login: 5 }, /login must be a string/],
  [{ limit: 0 }, /limit must be a whole number from 1 to 10000/],
  [{ limit: 1.5 }, /limit must be a whole number/],
  [{ since: 'yesterday' }, /since must be a number/],
]

test('getReports says what is wrong with a question', async (t) => {
  const server = await startServer(t, { configuration: configuration() })
  for (const [query, expected] of mistakes) {
    const answer = await server.post('/command/reports', { attrs: { query: JSON.stringify(query) } })
    assert.equal(answer.status, 500)
    assert.match(((await answer.json()) as { readonly reason: string }).reason, expected)
  }
})

async function restart(t: TestContext, server: ServerProcess, more = ''): Promise<ServerProcess> {
  await server.stop('SIGKILL')
  return startServer(t, { configuration: configuration(more), folder: server.folder })
}

test('forgetLogin erases a person from history, failed reports and trends, and nobody else, for good', async (t) => {
  let server = await startServer(t, { configuration: configuration() })
  await fill(server)
  await report(server, { login: 'ann', session_id: 's7', attrs: { fail: 'yes' } })
  await report(server, { login: 'bob', session_id: 's8', attrs: { fail: 'yes' } })
  await eventually('they do not fail', async () => (await metric(server, 'trackalert_failed_reports')) === 2)
  assert.deepEqual(await ask(server, 'forget', { login: 'ann' }), {
    reports: 4,
    rows: 1,
    alerts: 0,
    mails: 0,
  })
  assert.deepEqual(await ask(server, 'forget', { login: 'nobody' }), {
    reports: 0,
    rows: 0,
    alerts: 0,
    mails: 0,
  })

  const check = async (): Promise<void> => {
    assert.equal(await sessionsOf(server, { login: 'ann' }), '')
    assert.doesNotMatch(await sessionsOf(server, {}), /s[1357]/)
    assert.doesNotMatch(await sessionsOf(server, { remote: '192.0.2.7' }), /s[1357]/)
    const failed = await askForList<{ readonly report: Past }>(server, 'failed')
    assert.deepEqual(
      failed.map((entry) => entry.report.login),
      ['bob'],
    )
    const ann = { login: 'ann', remote: '192.0.2.7' }
    assert.deepEqual(await ask(server, 'trends', ann), { login: 0, sessions: 0, remote: 4 })
    const bob = { login: 'bob', remote: '2001:db8::7' }
    assert.deepEqual(await ask(server, 'trends', bob), { login: 3, sessions: 3, remote: 2 })
    assert.match(await sessionsOf(server, { login: 'bob' }), /s6 s4 s2$/)
  }
  await check()
  server = await restart(t, server)
  await check()
  await report(server, { login: 'ann', session_id: 's9' })
  await allRun(server)
  assert.equal(await sessionsOf(server, { login: 'ann' }), 's9')
})

test('with setReportHistory(0) nothing is kept of a report that is done, and the trends are', async (t) => {
  const more = 'setReportHistory(0)'
  let server = await startServer(t, { configuration: configuration(more) })
  await fill(server)
  assert.deepEqual(await reports(server, {}), [])
  assert.equal(await metric(server, 'trackalert_history_reports'), 0)
  server = await restart(t, server, more)
  assert.deepEqual(await reports(server, {}), [])
  const ann = { login: 'ann', remote: '192.0.2.7' }
  assert.deepEqual(await ask(server, 'trends', ann), { login: 3, sessions: 3, remote: 4 })
})
