/** Alerts in the real server: raised by a policy, found and acted upon over HTTP and in Lua, and there after kill -9. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { allRun, ANSWER_LUA, ask, askForList, eventually, metric, report } from '../support/ask-server.ts'
import { connectConsole, CONTROL_CONFIGURATION } from '../support/console-client.ts'
import { BASE_CONFIGURATION, startServer, type ServerProcess } from '../support/server-process.ts'

const CONFIGURATION = `
  ${BASE_CONFIGURATION}${ANSWER_LUA}
  newStringStatsDB("logins", 3600, 24, {count="int"})
  local logins = getStringStatsDB("logins")
  addSilence{rule="quiet.*", author="ops", comment="known", ends="2100-01-01"}
  addMaintenanceWindow{cron="* * * * *", duration="2m", comment="always", rule="window"}
  setReport(function(lt)
    logins:twAdd(lt.login, "count", 1)
    raiseAlert{rule=lt.attrs.rule or "travel", key=lt.login, severity=lt.attrs.severity,
      message="too fast", value=900.5, threshold=800, data={from="DE", places={"a", "b"}}, dedup=lt.attrs.dedup}
    if lt.attrs.resolve then resolveAlert{rule="travel", key=lt.attrs.resolve} end
    if lt.attrs.fail then error("told to") end
  end)
  setBackground("raiser", function() raiseAlert{rule="background", message="m", key="bg"} end)
  intervalScheduleBackgroundFunc("0:00:01", "raiser")
  setCustomEndpoint("alerts_lua", function(args)
    return answer(getAlerts{rule=args.attrs.rule, state="open", since="1h"})
  end)
  setCustomEndpoint("ack", function(args)
    return answer(acknowledgeAlert(tonumber(args.attrs.id), "lua", "looking"))
  end)
  setCustomEndpoint("silence", function(args)
    local id = addSilence{rule="travel", author="eve", comment="move", ends="1h"}
    return answer{id=id, shown=showSilences()}
  end)
  setCustomEndpoint("unsilence", function(args) return answer(removeSilence(args.attrs.id)) end)
  setCustomEndpoint("raise", function(args)
    raiseAlert{rule="endpoint", key=args.attrs.key, message="by hand"}
    return answer(true)
  end)
`

interface Shown {
  readonly id: number
  readonly rule: string
  readonly key: string
  readonly state: string
  readonly count: number
  readonly severity: string
  readonly silence?: string
  readonly [field: string]: unknown
}

async function find(server: ServerProcess, query: string): Promise<readonly Shown[]> {
  const answer = await server.get(`/command/alerts?${query}`)
  const text = await answer.text()
  assert.equal(answer.status, 200, text)
  return (JSON.parse(text) as { readonly alerts: readonly Shown[] }).alerts
}

const short = (alerts: readonly Shown[]): readonly string[] =>
  alerts.map(({ key, state, count, severity }) => `${key} ${state} ${count} ${severity}`)

test('a policy raises alerts; HTTP clients find them, act on them, and find them again after kill -9', async (t) => {
  let server = await startServer(t, { configuration: CONFIGURATION })
  await report(server, { login: 'ann', t: 1_700_000_000.5, attrs: { severity: 'high' } })
  await allRun(server)
  await report(server, { login: 'ann', remote: '2001:db8::1', attrs: { severity: 'low' } })
  await report(server, { login: 'bob' })
  await report(server, { login: 'eve', attrs: { fail: '1' } })
  await allRun(server)

  assert.deepEqual(short(await find(server, 'rule=travel')).toSorted(), [
    'ann open 2 high',
    'bob open 1 medium',
  ])
  assert.deepEqual(short(await find(server, 'rule=tra*&severity=high&state=open,resolved&since=3m')), [
    'ann open 2 high',
  ])
  const [ann] = await find(server, 'key=ann')
  assert.ok(ann !== undefined)
  const { id, first, last, first_report: firstReport, last_report: lastReport, ...rest } = ann
  assert.deepEqual(rest, {
    rule: 'travel',
    key: 'ann',
    severity: 'high',
    message: 'too fast',
    value: 900.5,
    threshold: 800,
    data: { from: 'DE', places: ['a', 'b'] },
    user: 'ann',
    count: 2,
    state: 'open',
    comments: [],
  })
  assert.ok(Number(first) <= Number(last) && Math.abs(Number(last) - Date.now() / 1000) < 60)
  const reports = [firstReport, lastReport] as { login: string; remote: string; t: number; id: number }[]
  assert.deepEqual(
    reports.map(({ login, remote }) => `${login} ${remote}`),
    ['ann 192.0.2.7', 'ann 2001:db8::1'],
  )
  assert.equal(reports[0]?.t, 1_700_000_000.5)
  assert.deepEqual(await find(server, 'key=eve'), [])
  assert.equal(await metric(server, 'trackalert_alerts_total{rule="travel",severity="high"}'), 1)
  assert.equal(await metric(server, 'trackalert_alerts_open{severity="high"}'), 1)

  const act = (body: object) => server.post('/command/alerts', body)
  const acked = await act({ action: 'ack', id, author: 'eve', comment: 'looking' })
  assert.equal(acked.status, 200)
  const { alert } = (await acked.json()) as { readonly alert: Shown }
  assert.deepEqual(
    [alert.state, (alert['acknowledged'] as { author: string }).author],
    ['acknowledged', 'eve'],
  )
  assert.equal((await act({ action: 'comment', id, author: 'eve', comment: 'calls' })).status, 200)

  await server.stop('SIGKILL')
  server = await startServer(t, { configuration: CONFIGURATION, folder: server.folder })
  const one = await server.get(`/command/alerts?id=${id}`)
  const kept = ((await one.json()) as { readonly alert: Shown }).alert
  assert.deepEqual(
    [
      kept.state,
      kept.count,
      (kept['comments'] as readonly { comment: string }[])[0]?.comment,
      kept['notifications'],
    ],
    ['acknowledged', 2, 'calls', []],
  )
  assert.equal((await server.post('/command/alerts', { action: 'resolve', id, author: 'eve' })).status, 200)
  await report(server, { login: 'carl', attrs: { resolve: 'bob' } })
  await allRun(server)
  assert.deepEqual(short(await find(server, 'rule=travel&state=resolved')).toSorted(), [
    'ann resolved 2 high',
    'bob resolved 1 medium',
  ])
  assert.deepEqual(await ask(server, 'ack', { id: '9999' }), false)
})

test('Lua functions find, acknowledge and silence alerts; endpoints and background functions raise them', async (t) => {
  const server = await startServer(t, { configuration: CONFIGURATION })
  await report(server, { login: 'ann' })
  await report(server, { login: 'bob', attrs: { rule: 'quiet.rule' } })
  await report(server, { login: 'carl', attrs: { rule: 'window' } })
  await ask(server, 'raise', { key: 'k1' })
  await allRun(server)
  await eventually('the background function raises nothing', async () => {
    return (await find(server, 'rule=background')).length > 0
  })
  const silenceOf = async (rule: string) => (await find(server, `rule=${rule}`))[0]?.silence
  assert.deepEqual(
    [await silenceOf('travel'), await silenceOf('quiet.rule'), await silenceOf('window')],
    [undefined, 'c1', 'm1'],
  )
  const { id, shown } = (await ask(server, 'silence')) as { readonly id: string; readonly shown: string }
  assert.equal(id, 's1')
  assert.match(
    shown,
    /^c1 active until 2\S+Z rule=quiet\.\* by ops: known\ns1 active until \S+Z rule=travel by eve: move\nm1 active /,
  )
  assert.equal(await silenceOf('travel'), 's1')
  assert.equal(await metric(server, 'trackalert_silences_active'), 3)
  assert.equal(await ask(server, 'unsilence', { id: 's1' }), true)
  assert.equal(await silenceOf('travel'), undefined)
  const [travel] = await askForList<Shown>(server, 'alerts_lua', { rule: 'travel' })
  assert.ok(travel !== undefined && travel.key === 'ann')
  assert.equal(await ask(server, 'ack', { id: String(travel.id) }), true)
  assert.deepEqual(await askForList<Shown>(server, 'alerts_lua', { rule: 'travel' }), [])
  assert.deepEqual(short(await find(server, 'rule=travel')), ['ann acknowledged 1 medium'])
  assert.equal((await find(server, 'rule=endpoint'))[0]?.key, 'k1')
})

const MISTAKES: readonly (readonly [query: string, reason: RegExp])[] = [
  ['severity=bad', /severity must be one of/],
  ['state=open,gone', /state must be one of/],
  ['since=soon', /since must be a time span/],
  ['limit=0', /limit must be a whole number from 1 to 10000/],
  ['id=x', /id must be the number of an alert/],
  ['level=high', /There is no parameter level; there are id, explain, since/],
]

test('the alerts command needs the password, takes both styles of URL, and names what is wrong', async (t) => {
  const server = await startServer(t, { configuration: CONFIGURATION })
  assert.equal((await server.get('/command/alerts', { authorization: 'Basic eDp5' })).status, 401)
  assert.equal((await server.get('/?since=3m&command=alerts&limit=5')).status, 200)
  for (const [query, reason] of MISTAKES) {
    const answer = await server.get(`/command/alerts?${query}`)
    assert.equal(answer.status, 400, query)
    assert.match(((await answer.json()) as { reason: string }).reason, reason)
  }
  assert.equal((await server.get('/command/alerts?id=77')).status, 404)
  const right = { action: 'ack', id: 1, author: 'eve' }
  const bodies: readonly (readonly [body: unknown, status: number, reason: RegExp])[] = [
    [right, 404, /There is no such alert/],
    ['[]', 400, /must be a JSON object/],
    [{ ...right, action: 'delete' }, 400, /action must be one of ack, resolve, comment/],
    [{ ...right, id: '1' }, 400, /id must be the number of an alert/],
    [{ ...right, author: '' }, 400, /author must be a text/],
    [{ ...right, comment: 'x'.repeat(3000) }, 400, /comment is longer than 2048 bytes/],
    [{ ...right, action: 'comment' }, 400, /comment must be a text/],
  ]
  for (const [body, status, reason] of bodies) {
    const answer = await server.post('/command/alerts', body)
    assert.equal(answer.status, status)
    assert.match(((await answer.json()) as { reason: string }).reason, reason)
  }
  const wrong = await fetch(new URL('/command/alerts', server.url), {
    method: 'PUT',
    headers: { authorization: `Basic ${Buffer.from('x:a secret: with a colon').toString('base64')}` },
  })
  assert.deepEqual([wrong.status, wrong.headers.get('allow')], [405, 'GET, POST'])
})

test('on the console an alert is commented, acknowledged and resolved by its id, and silenced, once and not by every worker', async (t) => {
  const server = await startServer(t, {
    configuration: `${CONFIGURATION}${CONTROL_CONFIGURATION}setNumLuaStates(2)`,
  })
  await report(server, { login: 'ann' })
  await allRun(server)
  const [ann] = await find(server, 'key=ann')
  assert.ok(ann !== undefined)
  const console = await connectConsole(t, server)
  assert.equal(await console(`return commentAlert(${ann.id}, "eve", "looks bad")`), 'true')
  assert.equal(await console(`return acknowledgeAlert(${ann.id}, "eve")`), 'true')
  assert.equal(await console(`return resolveAlertById(${ann.id}, "eve", "was on a journey")`), 'true')
  assert.equal(await console('return resolveAlertById(999999, "eve")'), 'false')
  assert.equal(
    await console('return addSilence{rule="travel", author="eve", comment="move", ends="1h"}'),
    's1',
  )
  // Each worker has run the lines as well once it answers a later one.
  assert.equal(await console('return removeSilence("s1")'), 'true')
  await report(server, { login: 'bob' })
  await report(server, { login: 'carl' })
  await allRun(server)
  const [after] = await find(server, 'key=ann')
  const notes = after?.['comments'] as readonly { readonly comment: string }[]
  assert.deepEqual(
    notes.map(({ comment }) => comment),
    ['looks bad'],
  )
  const resolved = after?.['resolved'] as { readonly author: string; readonly comment: string }
  assert.deepEqual([after?.state, resolved.author, resolved.comment], ['resolved', 'eve', 'was on a journey'])
  assert.doesNotMatch(await console('return showSilences()'), /^s\d/m)
})
