/** `trackalert test` over real files of Lua: what passes, what fails and how that reads, results for machines, coverage. */
import assert from 'node:assert/strict'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { runPolicyTests, type PolicyTestOptions } from '../../../src/policy-test/run-policy-tests.ts'
import { temporaryDirectory } from '../../support/embedded-store.ts'

const POLICY = `
newGeoIP2DB("CountryDB")
newStringStatsDB("logins", 3600, 24, { count = "int", places = "seen" })
local logins, geo = getStringStatsDB("logins"), getGeoIP2DB("CountryDB")
local function place(address)
  local country = geo:lookupCountry(address)
  if country == "" then
    return "nowhere"
  end
  return country
end
setReport(function(lt)
  if lt.attrs.broken then error("it broke") end
  logins:twAdd(lt.login, "count", 1)
  local n = logins:twGet(lt.login, "count")
  if n >= 3 then
    raiseAlert{ rule = "many", key = lt.login, severity = "high", message = lt.login .. " from " .. place(lt.remote),
      value = n, dedup = "1h" }
  end
end)
setBackground("tidy", function() resolveAlert{ rule = "many", key = "ann" } end)
`

interface Ran {
  readonly passed: boolean
  readonly output: string
  readonly folder: string
}

async function run(
  t: TestContext,
  tests: string,
  options: Partial<PolicyTestOptions> & { readonly policy?: string } = {},
): Promise<Ran> {
  const { policy = POLICY, ...more } = options
  const folder = await temporaryDirectory(t)
  await writeFile(join(folder, 'trackalert.conf'), policy)
  await writeFile(join(folder, 'some_test.lua'), tests)
  let output = ''
  const passed = await runPolicyTests(
    {
      path: undefined,
      configFile: join(folder, 'trackalert.conf'),
      filter: '',
      junitFile: undefined,
      coverage: false,
      lcovFile: undefined,
      regexesFile: fileURLToPath(new URL('../../../regexes.yaml', import.meta.url)),
      environment: {},
      workingFolder: folder,
      ...more,
    },
    (text) => (output += text),
  )
  return { passed, output, folder }
}

const passing: Readonly<Record<string, string>> = {
  'a report raises what the policy says, with the place that the test gave':
    'fakeGeo{ ["192.0.2.0/24"] = { country_code = "DE" }, ["192.0.2.9"] = { country_code = "FR" } }\n' +
    'for i = 1, 3 do expectNoAlert(); report{ login = "ann", remote = "192.0.2.9" } end\n' +
    'local alert = expectAlert{ rule = "many", key = "ann", severity = "high", message = "from FR$" }\n' +
    'assert(alert.value == 3 and alert.user == "ann")',
  'trends that a test sets count, and what the policy adds can be read':
    'local db = getStringStatsDB("logins")\n' +
    'db:twAdd("ann", "count", 2)\n' +
    'assert(db:twGet("ann", "count") == 2)\n' +
    'assert(#report{ login = "ann" } == 1)\n' +
    'assert(db:twGet("ann", "count") == 3)',
  'the clock goes with the reports and with advance, and windows with the clock':
    'local db = getStringStatsDB("logins")\n' +
    'report{ login = "ann", t = at("2026-01-05 09:30") }\n' +
    'assert(os.time() == at("2026-01-05 09:30:00"))\n' +
    'assert(advance("20h") == at("2026-01-06 05:30"))\n' +
    'assert(db:twGet("ann", "count") == 1)\n' +
    'advance("5h")\n' +
    'assert(db:twGet("ann", "count") == 0)',
  'an alert that is raised again within its dedup is one with a count, later it is another':
    'for i = 1, 5 do report{ login = "ann" } end\n' +
    'expectAlert{ rule = "many", count = 3 }\n' +
    'advance(2 * 3600)\n' +
    'report{ login = "ann" }\n' +
    'expectAlert{ rule = "many", count = 1 }',
  'background functions run, and what they resolve is resolved':
    'for i = 1, 3 do report{ login = "ann" } end\n' +
    'background("tidy")\n' +
    'assert(expectAlert{ key = "ann" }.state == "resolved")',
  'alerts can be forgotten while trends stay':
    'for i = 1, 3 do report{ login = "ann" } end\n' +
    'forgetAlerts()\n' +
    'expectNoAlert()\n' +
    'report{ login = "ann" }\n' +
    'expectAlert{}',
  'a policy may ask outside, and nobody answers':
    'local status, why = http.request{ url = "http://192.0.2.1/" }\nassert(status == nil and why)',
}

describe('a test passes when', () => {
  for (const [name, body] of Object.entries(passing)) {
    test(name, async (t) => {
      const { passed, output } = await run(t, `test("it", function()\n${body}\nend)`)
      assert.ok(passed, output)
    })
  }
})

interface Failing {
  readonly tests: string
  /** Everything that the output must say. */
  readonly says: readonly RegExp[]
}

const failing: Readonly<Record<string, Failing>> = {
  'an expected alert is missing: the output has the place, the wish, the alerts and the reports': {
    tests:
      'test("it", function()\n' +
      '  for i = 1, 3 do report{ login = "ann", protocol = "imap", success = i < 3, fail_type = "credentials" } end\n' +
      '  expectAlert{ rule = "many", severity = "low" }\n' +
      'end)',
    says: [
      /FAIL it/,
      /some_test\.lua:3: expected an alert rule="many" severity="low"/,
      /high many key="ann": ann from nowhere/,
      /the last of 3 reports/,
      /2026-01-05 00:00:00 ann from 192\.0\.2\.1 imap success\n/,
      /ann from 192\.0\.2\.1 imap failure credentials -> many/,
    ],
  },
  'there is an alert that should not be': {
    tests:
      'test("it", function()\n  for i = 1, 3 do report{ login = "ann" } end\n  expectNoAlert{ key = "ann" }\nend)',
    says: [/some_test\.lua:3: expected no alert key="ann"/, /high many/],
  },
  'the policy fails: the output has its message and traceback': {
    tests: 'test("it", function()\n  report{ attrs = { broken = "1" } }\nend)',
    says: [/some_test\.lua:2: report failed: .*trackalert\.conf:13: it broke/, /stack traceback/],
  },
  'an assertion fails': {
    tests: 'test("it", function()\n  error("not so")\nend)',
    says: [/some_test\.lua:2: not so/, /1 test, 1 failed/],
  },
  'the file cannot be compiled': {
    tests: 'test("it" function() end)',
    says: [/FAIL \(loading the file\)/, /some_test\.lua:1:/],
  },
  'a report is none': {
    tests: 'test("it", function()\n  report{ remote = "nobody" }\nend)',
    says: [/some_test\.lua:2: report: .*remote/],
  },
  'time would go back': {
    tests: 'test("it", function()\n  report{ t = at("2020-01-01") }\nend)',
    says: [/some_test\.lua:2: report: t is 2020-01-01 00:00:00, and it is 2026-01-05 00:00:00 already/],
  },
  'a pattern is broken': {
    tests:
      'test("it", function()\n  for i = 1, 3 do report{ login = "ann" } end\n  expectAlert{ message = "%" }\nend)',
    says: [/malformed pattern/],
  },
  'a place is none': {
    tests: 'test("it", function()\n  fakeGeo{ ["no.where"] = { country_code = "DE" } }\nend)',
    says: [/some_test\.lua:2: fakeGeo: "no\.where" is no address/],
  },
  'a date or a span is none': {
    tests:
      'test("it", function() at("soon") end)\ntest("other", function() advance("a while") end)\n' +
      'test("third", function() background("none") end)',
    says: [/at: "soon" is no date/, /advance: the span is/, /no background function "none"/],
  },
  'what belongs into a test is called outside, and a test inside of another': {
    tests: 'assert(not pcall(report, {}))\ntest("it", function() test("inner", function() end) end)',
    says: [/a test cannot define another one/],
  },
  'there is no test at all': { tests: '', says: [/no test is defined/] },
}

describe('a test fails, and says why, when', () => {
  for (const [name, { tests, says }] of Object.entries(failing)) {
    test(name, async (t) => {
      const { passed, output } = await run(t, tests)
      assert.equal(passed, false)
      for (const pattern of says) assert.match(output, pattern)
    })
  }

  test('no report function is set', async (t) => {
    const { output } = await run(t, 'test("it", function() report{} end)', { policy: '' })
    assert.match(output, /there is no report function/)
  })

  test('there is no such folder, or no test in it', async (t) => {
    const { output, passed } = await run(t, '', { path: '/nowhere/at/all' })
    assert.match(output, /there is no \/nowhere\/at\/all/)
    const empty = await temporaryDirectory(t)
    const other = await run(t, '', { path: empty })
    assert.match(other.output, /no file .*_test\.lua/)
    assert.deepEqual([passed, other.passed], [false, false])
  })
})

const TWO =
  'test("first one", function() report{} end)\ntest("second <one>", function() error("no & no") end)'

test('each test begins with nothing remembered, no alerts and no places', async (t) => {
  const body = 'fakeGeo{ ["::/0"] = { country_code = "SE" }, ["0.0.0.0/0"] = { country_code = "SE" } }'
  const one = `expectNoAlert()\nassert(getGeoIP2DB("x"):lookupCountry("192.0.2.1") == "")\n${body}\nfor i = 1, 3 do report{} end\nexpectAlert{ count = 1 }`
  const { passed, output } = await run(t, `for i = 1, 3 do test("run " .. i, function()\n${one}\nend) end`)
  assert.ok(passed, output)
  assert.match(output, /3 tests, all passed/)
})

test('a filter picks tests by a part of their name', async (t) => {
  const { passed, output } = await run(t, TWO, { filter: 'FIRST' })
  assert.ok(passed)
  assert.match(output, /1 test, all passed/)
  const none = await run(t, TWO, { filter: 'third' })
  assert.equal(none.passed, false)
  assert.match(none.output, /no test has "third" in its name/)
})

test('what a policy logs and prints is shown where a test of the file fails, and only there', async (t) => {
  const policy = 'setReport(function(lt) infoLog("seen", { who = lt.login }) print("hello") end)'
  const { output } = await run(t, TWO, { policy })
  assert.match(output, /info: seen \{"who":"user@example\.com"\}\n +hello/)
  const good = await run(t, TWO, { policy, filter: 'first' })
  assert.doesNotMatch(good.output, /hello/)
})

test('results are written as JUnit XML, whatever is in names and messages', async (t) => {
  const folder = await temporaryDirectory(t)
  const junitFile = join(folder, 'junit.xml')
  await run(t, `${TWO}\ntest("bell \\7", function() end)`, { junitFile })
  const xml = await readFile(junitFile, 'utf8')
  assert.match(xml, /<testsuite name="[^"]*some_test\.lua" tests="3" failures="1" time="\d+\.\d{3}">/)
  assert.match(xml, /name="second &lt;one&gt;"[^>]*><failure message="[^"]*no &amp; no"/)
  assert.match(xml, /name="bell \?"/)
})

test('coverage names the lines that never ran, also of files that nothing loaded', async (t) => {
  const folder = await temporaryDirectory(t)
  const lcovFile = join(folder, 'lcov.info')
  const tests = join(folder, 'some_test.lua')
  await mkdir(dirname(tests), { recursive: true })
  await writeFile(tests, 'test("it", function() report{ login = "ann" } end)')
  await writeFile(join(folder, 'unused.lua'), '-- nothing\nlocal a = 1\n\nreturn a\n')
  const { output } = await run(t, '', { path: folder, coverage: true, lcovFile })
  assert.match(output, / {3}0\.0 % {2}\S*unused\.lua {2}not run: 2-4\n/)
  // place() and the alert never ran; the lines that define and register did.
  assert.match(output, /trackalert\.conf {2}not run: 6-10, 17-18\n/)
  const lcov = await readFile(lcovFile, 'utf8')
  assert.match(lcov, /SF:\S*unused\.lua\nDA:2,0\nDA:4,0\nLF:2\nLH:0\nend_of_record/)
  assert.match(lcov, /SF:\S*trackalert\.conf\n(?:DA:\d+,\d+\n)*DA:14,1\n/)
})

test('coverage names the one branch that no test took', async (t) => {
  const tests = 'test("all", function() for i = 1, 3 do report{} end background("tidy") end)'
  const { output } = await run(t, tests, { coverage: true })
  assert.match(output, /trackalert\.conf {2}not run: 10\n/)
})
