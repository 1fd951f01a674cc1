/** What a policy can ask, of the report, of the server and of other systems, in the real process. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { createServer } from 'node:https'
import { describe, test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startDnsServer } from '../support/dns-server.ts'
import { listenLocal } from '../support/listen-local.ts'
import { privateCa } from '../support/private-ca.ts'
import { BASE_CONFIGURATION, startServer } from '../support/server-process.ts'

const CITY_FILE = fileURLToPath(new URL('../../../shared/data/geoip/GeoIP2-City-Test.mmdb', import.meta.url))

const REPORT = {
  login: 'ann',
  remote: '[2001:db8::7]:99',
  success: false,
  pwhash: 'f0',
  fail_type: 'policy',
  protocol: 'imaps',
  tls: true,
  device_id: '"name" "Mail" "version" "10.2"',
  session_id: 's1',
  attrs: { one: 'x', list: ['a', 5, 'c'] },
  t: 1_700_000_000.5,
}

/** An expression of Lua and what tostring() makes of its first value. */
type Row = readonly [expression: string, text: string | RegExp]

/** Runs a policy that evaluates the expressions for one report, `lt`. */
async function checkRows(t: TestContext, preparation: string, rows: readonly Row[]): Promise<void> {
  const functions = rows.map(([expression]) => `function() return ${expression} end`)
  const server = await startServer(t, {
    configuration: `${BASE_CONFIGURATION}
      ${preparation}
      setReport(function(lt)
        for number, evaluate in ipairs{${functions.join(',\n')}} do
          local good, value = pcall(evaluate)
          infoLog("row " .. number .. " is " .. tostring(value), {})
        end
        infoLog("all rows done", {})
      end)`,
  })
  assert.equal((await server.post('/command/report', REPORT)).status, 200)
  await server.waitFor(/all rows done/)
  for (const [index, [expression, text]] of rows.entries()) {
    const seen = new RegExp(`row ${index + 1} is (.*)`).exec(server.output)?.[1] ?? ''
    if (typeof text === 'string') assert.equal(seen, text, expression)
    else assert.match(seen, text, expression)
  }
}

test('a policy sees every field of the report, and may assign them', async (t) => {
  await checkRows(t, '', [
    ['lt.login', 'ann'],
    ['lt.remote', '2001:db8::7'],
    ['lt.remote:tostring()', '2001:db8::7'],
    ['lt.success', 'false'],
    ['lt.pwhash', 'f0'],
    ['lt.policy_reject', 'false'],
    ['lt.fail_type', 'policy'],
    ['lt.protocol', 'imaps'],
    ['lt.tls', 'true'],
    ['lt.device_id', '"name" "Mail" "version" "10.2"'],
    ['lt.device_attrs["imapc.family"]', 'Mail'],
    ['lt.device_attrs["imapc.minor"]', '2'],
    ['lt.session_id', 's1'],
    ['lt.attrs.one', 'x'],
    ['lt.attrs.list', 'nil'],
    ['table.concat(lt.attrs_mv.list, ",")', 'a,,c'],
    ['lt.t', '1700000000.5'],
    ['lt.nothing', 'nil'],
    ['(function() lt.login = "bob" return lt.login end)()', 'bob'],
  ])
})

test('addresses, netmasks and durations are as in the reference', async (t) => {
  await checkRows(
    t,
    `group = newNetmaskGroup()
     group:addMask("10.0.0.0/8") group:addMask("!10.1.0.0/16") group:addMask("2001:db8::/32")`,
    [
      ['newCA("192.0.2.1:55")', '192.0.2.1'],
      ['newCA("192.0.2.1"):isIPv4()', 'true'],
      ['newCA("192.0.2.1"):isIPv6()', 'false'],
      ['newCA("::1"):isIPv6()', 'true'],
      ['newCA("::ffff:192.0.2.1"):isMappedIPv4()', 'true'],
      ['newCA("nonsense")', /trackalert\.conf:\d+: .*"nonsense" is no IP address/],
      ['newNetmask("10.1.2.3/8"):toStringNetwork()', '10.0.0.0/8'],
      ['newNetmaskFromCA(lt.remote, 32):toStringNetwork()', '2001:db8::/32'],
      ['newNetmaskFromCA(newCA("10.9.8.7"), 33)', /whole number from 0 to 32, got 33/],
      ['group:size()', '3'],
      ['group:match(newCA("10.2.0.1"))', 'true'],
      ['group:match(newCA("10.1.0.1"))', 'false'],
      ['group:match(lt.remote)', 'true'],
      ['(function() local g = newNetmaskGroup() g:addMask("::/0") g:clear() return g:size() end)()', '0'],
      ['durationToSeconds("1")', '3600'],
      ['durationToSeconds("00:01")', '60'],
      ['durationToSeconds("10:00:01")', '36001'],
      ['durationToSeconds("soon")', /"soon" is no duration/],
    ],
  )
})

test('GeoIP functions answer "" and empty records for what is not known, also the deprecated ones', async (t) => {
  await checkRows(t, 'newGeoIP2DB("C")\ninitGeoIPDB()', [
    ['getGeoIP2DB("C"):lookupCountry(newCA("81.2.69.160"))', 'GB'],
    ['getGeoIP2DB("C"):lookupCountry(newCA("127.0.0.1"))', ''],
    ['getGeoIP2DB("C"):lookupISP(newCA("81.2.69.160"))', ''],
    ['getGeoIP2DB("C"):lookupCity(newCA("127.0.0.1")).city', ''],
    ['getGeoIP2DB("C"):lookupStringValue(newCA("81.2.69.160"), {"country_code"})', 'GB'],
    ['getGeoIP2DB("D")', /there is no GeoIP database "D"/],
    ['lookupCountry(newCA("81.2.69.160"))', 'GB'],
    ['lookupISP(newCA("81.2.69.160"))', ''],
    ['lookupCity(newCA("81.2.69.160")).country_code', ''],
  ])
})

test("lookupCity fills every field of a GeoIPRecord from MaxMind's test file", async (t) => {
  if (!existsSync(CITY_FILE)) {
    t.skip(`there is no ${CITY_FILE}`)
    return
  }
  const record = 'getGeoIP2DB("City"):lookupCity(newCA("2.125.160.216"))'
  const address = 'newCA("2.125.160.216")'
  await checkRows(t, `newGeoIP2DB("City", ${JSON.stringify(CITY_FILE)})`, [
    [`${record}.country_code`, 'GB'],
    [`${record}.country_name`, 'United Kingdom'],
    [`${record}.region`, 'ENG'],
    [`${record}.city`, 'Boxford'],
    [`${record}.postal_code`, 'OX1'],
    [`${record}.continent_code`, 'EU'],
    [`${record}.latitude`, '51.75'],
    [`${record}.longitude`, '-1.25'],
    [`getGeoIP2DB("City"):lookupStringValue(${address}, {"city", "names", "en"})`, 'Boxford'],
    [`getGeoIP2DB("City"):lookupUIntValue(${address}, {"location", "accuracy_radius"})`, '100'],
    [`getGeoIP2DB("City"):lookupDoubleValue(${address}, {"location", "latitude"})`, '51.75'],
    [`getGeoIP2DB("City"):lookupBoolValue(${address}, {"country", "nothing"})`, 'false'],
  ])
})

describe('http.request over TLS', () => {
  for (const [what, setting, text] of [
    ['trusts no authority that it does not know', '', /^nil https:.*TLS connection could not be trusted/],
    ['trusts any after disableCurlPeerVerification', 'disableCurlPeerVerification()', '200 path /x?y'],
    ['trusts those of setCurlCABundleFile', `setCurlCABundleFile("${privateCa.caFile}")`, '200 path /x?y'],
  ] as const) {
    test(what, async (t) => {
      const target = createServer(privateCa.server, (request, response) =>
        response.end(`path ${request.url}`),
      )
      const port = await listenLocal(t, target)
      const ask = `http.request{url="https://127.0.0.1:${port}/x?y", timeout=5}`
      await checkRows(t, setting, [
        [`(function() local s, a = ${ask} return tostring(s) .. " " .. a end)()`, text],
      ])
    })
  }
})

test('DNS functions ask the configured server and are counted', async (t) => {
  const records = (...values: readonly string[]) => ({ kind: 'records', values, ttlSeconds: 60 }) as const
  const dns = await startDnsServer(t, (type, name) => {
    if (type === 'A' && name === 'mail.example.org') return records('192.0.2.9')
    if (type === 'PTR' && name === '9.2.0.192.in-addr.arpa') return records('mail.example.org')
    if (type === 'A' && name === '9.2.0.192.list.example') return records('127.0.0.2')
    return { kind: 'no-such-name' }
  })
  const server = await startServer(t, {
    configuration: `${BASE_CONFIGURATION}
      newDNSResolver("mine")
      getDNSResolver("mine"):addResolver("127.0.0.1", ${dns.port})
      getDNSResolver("mine"):setRequestTimeout(3000)
      setReport(function(lt)
        local resolver, address = getDNSResolver("mine"), newCA("192.0.2.9")
        infoLog("asked", { name = resolver:lookupAddrByName("mail.example.org")[1],
          pointer = resolver:lookupNameByAddr(address)[1], list = resolver:lookupRBL(address, "list.example")[1],
          none = #resolver:lookupAddrByName("none.example") })
      end)`,
  })
  assert.equal((await server.post('/command/report', REPORT)).status, 200)
  const [, line = ''] = await server.waitFor(/asked: (.*)/)
  for (const part of ['name="192.0.2.9"', 'pointer="mail.example.org"', 'list="127.0.0.2"', 'none="0"']) {
    assert.ok(line.includes(part), `${part} in ${line}`)
  }
  const metrics = await (await server.get('/metrics')).text()
  assert.match(metrics, /^trackalert_dns_queries_total\{resolver="mine"\} 4$/m)
  assert.match(metrics, /^trackalert_dns_query_response_seconds_count\{resolver="mine"\} 4$/m)
})

describe('log functions', () => {
  const configuration = `${BASE_CONFIGURATION}
    setReport(function(lt)
      errorLog("an error", { a = 0.1 + 0.2, b = true, c = 'x"y' })
      warnLog("a warning")
      infoLog("some information", { one = 1 })
      vinfoLog("when verbose", {})
      debugLog("for debugging", { address = lt.remote })
      infoLog("done", {})
    end)`

  for (const [what, args] of [
    ['without -v', ['-s', '-C', 'CONF']],
    ['with -v', ['-s', '-v', '-C', 'CONF']],
  ] as const) {
    test(`${what} write message and fields at their level`, async (t) => {
      const server = await startServer(t, { configuration, args })
      assert.equal((await server.post('/command/report', REPORT)).status, 200)
      await server.waitFor(/ info {2}done/)
      const error = / error an error: (.*)/.exec(server.output)?.[1] ?? ''
      for (const field of ['a="0.3"', 'b="true"', 'c="x\\"y"']) assert.ok(error.includes(field), error)
      assert.match(server.output, / warn {2}a warning\n/)
      assert.match(server.output, / info {2}some information: one="1"\n/)
      const isVerbose = what === 'with -v'
      assert.equal(/ debug when verbose\n/.test(server.output), isVerbose)
      assert.equal(/ debug for debugging: address="2001:db8::7"\n/.test(server.output), isVerbose)
    })
  }
})
