import assert from 'node:assert/strict'
import { networkInterfaces } from 'node:os'
import { describe, test } from 'node:test'
import { BASE_CONFIGURATION, basicAuth, startServer } from '../support/server-process.ts'

const LOGGING_POLICY = `
${BASE_CONFIGURATION}
newGeoIP2DB("CountryDB")
setReport(function(lt)
  infoLog("policy saw", {
    login = lt.login, remote = lt.remote:tostring(), success = lt.success, protocol = lt.protocol, t = lt.t,
    tls = lt.tls, fail = lt.fail_type, session = lt.session_id, pwhash = lt.pwhash, reject = lt.policy_reject,
    country = getGeoIP2DB("CountryDB"):lookupCountry(lt.remote),
    device = lt.device_attrs["imapc.family"] or lt.device_attrs["browser.family"] or "",
    attr = lt.attrs.accountStatus or "", mv = lt.attrs_mv.groups and table.concat(lt.attrs_mv.groups, "+") or "",
    unknown = lt.no_such_field,
  })
end)
`

/** Every key present, as wforce's report webhook sends it. */
const WFORCE_REPORT = {
  attrs: { accountStatus: 'active' },
  attrs_mv: {},
  device_attrs: {},
  device_id: '"name" "Mac OS X Mail" "version" "10.0 (3226)" "os" "Mac OS X" "os-version" "10.12 (16A323)"',
  fail_type: '',
  login: 'wforce-user',
  policy_reject: false,
  protocol: 'imap',
  pwhash: 'a1b2',
  remote: '81.2.69.160',
  session_id: 's-1',
  success: true,
  t: 1477044321.25,
  tls: true,
  type: 'wforce_report',
}

/** What Dovecot's auth policy sends: few fields, some of its own. */
const DOVECOT_REPORT = {
  device_id: '',
  login: 'dovecot-user',
  protocol: 'imap',
  pwhash: '17',
  remote: '::ffff:81.2.69.160',
  success: false,
  policy_reject: true,
  fail_type: 'credentials',
  tls: false,
}

describe('a report reaches the policy', () => {
  test('as wforce sends it, in the old URL style with its headers', async (t) => {
    const server = await startServer(t, { configuration: LOGGING_POLICY })
    const answer = await server.post('/?command=report', WFORCE_REPORT, {
      'x-wforce-delivery': '7f1b',
      'x-wforce-event': 'report',
      'x-wforce-hookid': '1',
      'x-wforce-signature': 'c2lnbmF0dXJl',
    })
    assert.equal(answer.status, 200)
    assert.deepEqual(await answer.json(), { status: 'ok' })
    const line = await server.waitFor(/policy saw: (.*)/)
    for (const part of [
      'login="wforce-user"',
      'remote="81.2.69.160"',
      'success="true"',
      'protocol="imap"',
      't="1477044321.25"',
      'tls="true"',
      'session="s-1"',
      'pwhash="a1b2"',
      'country="GB"',
      'device="Mac OS X Mail"',
      'attr="active"',
    ]) {
      assert.ok(line[1]?.includes(part), `${part} in ${line[1]}`)
    }
    assert.doesNotMatch(line[1] ?? '', /unknown=/)
  })

  test('as Dovecot sends it, with a mapped address and missing fields', async (t) => {
    const server = await startServer(t, { configuration: LOGGING_POLICY })
    const answer = await server.post('/command/report', DOVECOT_REPORT, { 'content-type': 'text/plain' })
    assert.equal(answer.status, 200)
    const line = await server.waitFor(/policy saw: (.*)/)
    assert.match(line[1] ?? '', /login="dovecot-user"/)
    assert.match(line[1] ?? '', /remote="81\.2\.69\.160"/)
    assert.match(line[1] ?? '', /fail="credentials"/)
    assert.match(line[1] ?? '', /reject="true"/)
  })

  test('wrapped for Kafka, every record a report', async (t) => {
    const server = await startServer(t, { configuration: LOGGING_POLICY })
    const records = ['kafka-1', 'kafka-2', 'kafka-3'].map((login) => ({ value: { ...WFORCE_REPORT, login } }))
    const answer = await server.post(
      '/?command=report',
      { records },
      { 'content-type': 'application/vnd.kafka.json.v2+json' },
    )
    assert.equal(answer.status, 200)
    for (const { value } of records) await server.waitFor(new RegExp(`login="${value.login}"`))
  })

  test('and one that is refused does not', async (t) => {
    const server = await startServer(t, { configuration: LOGGING_POLICY })
    const answer = await server.post('/command/report', { login: 'ann', remote: 'nowhere', success: true })
    assert.equal(answer.status, 400)
    assert.match(JSON.stringify(await answer.json()), /remote/)
    assert.equal((await server.post('/command/report', { ...DOVECOT_REPORT, login: 'marker' })).status, 200)
    await server.waitFor(/login="marker"/)
    assert.doesNotMatch(server.output, /login="ann"/)
  })
})

describe('who may report', () => {
  test('a source that setACL leaves out is refused on every path, before the password', async (t) => {
    const server = await startServer(t, {
      configuration: `setACL({"192.0.2.0/24"})\n${BASE_CONFIGURATION}`,
    })
    for (const path of ['/command/report', '/command/livez', '/metrics', '/nothing']) {
      const answer = await server.get(path)
      assert.equal(answer.status, 401, path)
      assert.deepEqual(await answer.json(), {
        status: 'failure',
        reason: 'Source IP Address not in ACL',
        ip: '127.0.0.1',
      })
    }
  })

  test('addACL adds to the default ranges, and a negated mask shuts out', async (t) => {
    const server = await startServer(t, { configuration: `addACL("!127.0.0.1/32")\n${BASE_CONFIGURATION}` })
    assert.equal((await server.get('/command/livez')).status, 401)
  })

  test('a wrong password is refused, any user name goes with the right one', async (t) => {
    const server = await startServer(t, { configuration: BASE_CONFIGURATION })
    const status = async (authorization: string): Promise<number> =>
      (await server.get('/command/stats', { authorization })).status
    assert.equal(await status(basicAuth('wrong')), 401)
    assert.equal(await status(basicAuth(undefined, 'anybody')), 200)
    assert.equal(await status(basicAuth(undefined, '')), 200)
  })

  test('a server that listens on IPv6 takes reports there', async (t) => {
    const hasLoopback6 = Object.values(networkInterfaces())
      .flat()
      .some((address) => address?.address === '::1')
    if (!hasLoopback6) {
      t.skip('this machine has no ::1')
      return
    }
    const server = await startServer(t, {
      configuration: `addListener("[::1]:0", false, "", "", {})\n${LOGGING_POLICY}`,
    })
    assert.equal(server.urls.length, 2)
    assert.match(server.url, /^http:\/\/\[::1\]:\d+$/)
    assert.equal((await server.post('/command/report', DOVECOT_REPORT)).status, 200)
    await server.waitFor(/login="dovecot-user"/)
  })
})
