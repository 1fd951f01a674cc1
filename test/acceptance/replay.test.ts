/** `trackalert replay` as a process, over real files. */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { gzipSync } from 'node:zlib'
import { temporaryDirectory } from '../support/embedded-store.ts'
import { lacksFullDisk, runOntoFullDisk, runProgram } from '../support/program.ts'
import { only, replayed, type Replayed } from '../support/replayed.ts'
import { simulated } from '../support/simulation.ts'

/** A threshold that tests change. */
const policy = (threshold: number): string => `
newStringStatsDB("logins", 3600, 24, {fail="int", ips="hll"})
local logins = getStringStatsDB("logins")
addCustomWebHook("told", { url = "http://192.0.2.1/" })
setReport(function(lt)
  logins:twAdd(lt.login, "ips", lt.remote)
  if lt.success then return end
  logins:twAdd(lt.login, "fail", 1)
  local failed = logins:twGet(lt.login, "fail")
  if failed >= ${threshold} then
    raiseAlert{rule="failing", key=lt.login, severity=failed >= 2 * ${threshold} and "high" or "low",
      message=string.format("%d failed from %d addresses", failed, logins:twGet(lt.login, "ips")), dedup="1d"}
    runCustomWebHook("told", lt.login)
  end
end)
setBackground("hourly", function()
  if os.date("!%H") == "12" then raiseAlert{rule="noon", key=os.date("!%F"), message="noon"} end
end)
intervalScheduleBackgroundFunc("1:00:00", "hourly")
`

const REPORTS = simulated()
const TEXT = REPORTS.map((report) => `${JSON.stringify(report)}\n`).join('')

async function folderWith(
  t: TestContext,
  files: Readonly<Record<string, string | Uint8Array>> = {},
): Promise<string> {
  const folder = await temporaryDirectory(t)
  const all = { 'a.conf': policy(8), 'reports.ndjson': TEXT, ...files }
  for (const [name, text] of Object.entries(all)) await writeFile(join(folder, name), text)
  return folder
}

const withoutTime = (outcome: Replayed): object => ({ ...outcome, seconds: 0 })

describe('replay', () => {
  test('gives the same alerts each time: from a file, packed, in parts, and from standard input', async (t) => {
    const half = TEXT.indexOf('\n', TEXT.length / 2) + 1
    const cwd = await folderWith(t, {
      'reports.gz': gzipSync(TEXT),
      'one.ndjson': TEXT.slice(0, half),
      'two.ndjson': TEXT.slice(half),
    })
    const words = ['-C', 'a.conf']
    const first = await replayed(t, [...words, 'reports.ndjson'], { cwd })
    assert.equal(first.reports, REPORTS.length)
    const { alerts, background_runs: backgroundRuns, webhooks } = only(first)
    assert.ok(alerts.length > 10 && webhooks > alerts.length / 2, `${alerts.length}`)
    const days = Math.floor(((REPORTS.at(-1)?.t ?? 0) - (REPORTS[0]?.t ?? 0)) / 86_400)
    assert.equal(alerts.filter(({ rule }) => rule === 'noon').length, days + 1)
    assert.ok(backgroundRuns >= days * 24)
    for (const [more, input] of [
      [['reports.ndjson'], ''],
      [['reports.gz'], ''],
      [['one.ndjson', 'two.ndjson'], ''],
      [['one.ndjson', '-'], TEXT.slice(half)],
    ] as const) {
      const again = await replayed(t, [...words, ...more], { cwd, input })
      assert.deepEqual(withoutTime(again), withoutTime(first), more.join(' '))
    }
  })

  test('passes bad lines over, says which, and ends with status 1', async (t) => {
    const lines = TEXT.split('\n').slice(0, 50)
    const bad = [...lines.slice(0, 10), '{"t":1', '', '[]', ...lines.slice(10), '{"login":"x"}']
    const cwd = await folderWith(t, { 'bad.ndjson': bad.join('\n') })
    const outcome = await replayed(t, ['-C', 'a.conf', 'bad.ndjson'], { cwd, status: 1 })
    assert.equal(outcome.reports, 50)
    assert.deepEqual(outcome.bad_lines, {
      count: 3,
      first: [
        { file: 'bad.ndjson', line: 11, reason: 'it is not valid JSON, at character 6' },
        { file: 'bad.ndjson', line: 13, reason: 'a report must be a JSON object' },
        {
          file: 'bad.ndjson',
          line: 54,
          reason: 'the field t is missing: a replay goes by the times of the reports',
        },
      ],
    })
    const { stdout, code } = await runProgram(t, ['replay', '-C', 'a.conf', 'bad.ndjson'], { cwd })
    assert.equal(code, 1)
    assert.match(
      stdout,
      /^3 bad lines left out, first of all:\n {2}bad\.ndjson:11: it is not valid JSON, at character 6\n/m,
    )
  })

  test('compares two configurations over the same reports', async (t) => {
    const cwd = await folderWith(t, { 'b.conf': policy(40), 'reports.ndjson': TEXT })
    const words = ['-C', 'a.conf', 'reports.ndjson', '--against', 'b.conf']
    const both = await replayed(t, words, { cwd })
    const [a, b] = both.configurations
    for (const [file, alone] of [
      ['a.conf', a],
      ['b.conf', b],
    ] as const) {
      const single = only(await replayed(t, ['-C', file, 'reports.ndjson'], { cwd }))
      assert.deepEqual(alone, single)
    }
    const { difference } = both
    assert.ok(difference !== undefined && a !== undefined && b !== undefined)
    assert.ok(difference.only_first.length > 0)
    assert.equal(difference.both + difference.only_first.length, a.alerts.length)
    assert.equal(difference.both + difference.only_second.length, b.alerts.length)
    const { stdout } = await runProgram(t, ['replay', ...words, '--examples', '1'], { cwd })
    assert.match(stdout, /^Rule +Both +Only A +Only B *\nfailing +\d+ +[1-9]\d* +0 *\nnoon +\d+ +0 +0 *$/m)
    assert.match(
      stdout,
      /^failing, only A\n {2}\d+ 2026-01-\d\d \d\d:\d\d:\d\d (low|high) \S+@example\.net.*: \d+ failed from/m,
    )
  })

  test('prints alerts by rule, examples, and how good they are', async (t) => {
    const cwd = await folderWith(t)
    const { code, stdout, stderr } = await runProgram(
      t,
      ['replay', '-C', 'a.conf', 'reports.ndjson', '--examples', '2'],
      {
        cwd,
      },
    )
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' })
    assert.match(
      stdout,
      new RegExp(`^${REPORTS.length} reports from 2026-01-05 \\S+ to 2026-01-24 \\S+ UTC, \\d+\\.\\d days; `),
    )
    assert.match(stdout, /^Rule +Alerts +Raised +First +Last *\nfailing +\d+ +\d+ +2026-/m)
    assert.match(stdout, /^failing\n( {2}\d+ 2026-.*\n){2}noon\n( {2}\d+ 2026-.*\n){2}\n/m)
    assert.match(stdout, /^brute-force +all +2 +2 +1\.00/m)
    assert.match(stdout, /^\d+ of \d+ alerts are false, precision \d\.\d\d/m)
    assert.match(stdout, /false alerts per 1,000 users per day \(\d+ users, \d+\.\d days\)/)
    assert.match(stdout, /^\d+ webhooks not sent$/m)
  })

  test('leaves out alerts that are not severe enough, and finds less', async (t) => {
    const cwd = await folderWith(t)
    const all = only(await replayed(t, ['-C', 'a.conf', 'reports.ndjson'], { cwd }))
    const high = only(await replayed(t, ['-C', 'a.conf', 'reports.ndjson', '--severity', 'high'], { cwd }))
    assert.deepEqual(
      high.alerts,
      all.alerts.filter(({ severity }) => severity === 'high'),
    )
    assert.ok(high.alerts.length > 0 && high.alerts.length < all.alerts.length)
  })

  test('runs that fail have no effect and are counted; what asks outside is refused with a sentence', async (t) => {
    const configuration = `
      setReport(function(lt)
        raiseAlert{rule="any", message="m"}
        http.request{url="http://127.0.0.1:1/"}
      end)`
    const cwd = await folderWith(t, {
      'http.conf': configuration,
      'few.ndjson': TEXT.split('\n').slice(0, 5).join('\n'),
    })
    const refused = only(await replayed(t, ['-C', 'http.conf', 'few.ndjson'], { cwd, status: 1 }))
    assert.deepEqual([refused.failed_runs, refused.alerts.length, refused.failures.length], [5, 0, 1])
    assert.match(
      String(refused.failures[0]?.['message']),
      /http\.conf:4: http\.request: a replay asks no other system; give --online/,
    )
    const online = only(await replayed(t, ['-C', 'http.conf', 'few.ndjson', '--online'], { cwd }))
    // An alert is resolved an hour after it was last raised.
    assert.deepEqual([online.failed_runs, online.alerts.reduce((sum, { count }) => sum + count, 0)], [0, 5])
  })

  test('a policy that raises without end is stopped with a sentence', async (t) => {
    const configuration = `
      setReport(function(lt)
        for i = 1, 1000 do raiseAlert{rule="any", key=lt.login .. lt.t .. i, message="m"} end
      end)`
    const cwd = await folderWith(t, { 'loud.conf': configuration })
    const { code, stdout, stderr } = await runProgram(t, ['replay', '-C', 'loud.conf', 'reports.ndjson'], {
      cwd,
    })
    assert.deepEqual({ code, stdout }, { code: 1, stdout: '' })
    assert.match(
      stderr,
      /^trackalert: .* more memory than it may: the policy has raised more than 200000 alerts; /,
    )
  })

  test('writes nothing, whatever the configuration says', async (t) => {
    const configuration = `${policy(8)}
      setWebserverPassword(secret("password"))
      local file = io.open("written", "w")
      if file then file:write("x") file:close() end`
    const cwd = await folderWith(t, { 'secret.conf': configuration })
    const outcome = await replayed(t, ['-C', 'secret.conf', 'reports.ndjson'], { cwd })
    assert.equal(outcome.reports, REPORTS.length)
    assert.deepEqual(readdirSync(cwd).toSorted(), ['a.conf', 'reports.ndjson', 'secret.conf'])
  })

  test('a background function finds what was remembered at its own time, however late the next report comes', async (t) => {
    const configuration = `
      newStringStatsDB("logins", 60, 2, {count="int"})
      local logins = getStringStatsDB("logins")
      setReport(function(lt) logins:twAdd(lt.login, "count", 1) end)
      setBackground("look", function()
        if logins:twGet("ann", "count") > 0 then raiseAlert{rule="seen", key=os.date("!%T"), message="m"} end
        if logins:twGetSize() > 0 then raiseAlert{rule="kept", key="ann", message="m"} end
      end)
      intervalScheduleBackgroundFunc("0:00:30", "look")`
    const at = (seconds: number): string =>
      `${JSON.stringify({ login: 'ann', remote: '192.0.2.1', success: true, t: seconds })}\n`
    const start = Date.UTC(2026, 0, 5) / 1000
    const cwd = await folderWith(t, {
      'look.conf': configuration,
      'gap.ndjson': at(start) + at(start + 3 * 86_400),
    })
    const { alerts } = only(await replayed(t, ['-C', 'look.conf', 'gap.ndjson'], { cwd }))
    assert.deepEqual(
      alerts.filter(({ rule }) => rule === 'seen').map(({ key }) => key),
      ['00:00:30', '00:01:00', '00:01:30'],
    )
    // In the end it is gone: rows are looked at once a day.
    const kept = alerts.filter(({ rule }) => rule === 'kept')
    assert.deepEqual(
      kept.map(({ last }) => last <= start + 86_400),
      [true],
    )
  })

  test('what it cannot write is status 1', { skip: lacksFullDisk }, async (t) => {
    const { code, stderr } = runOntoFullDisk(
      ['replay', '-C', 'a.conf', 'reports.ndjson'],
      await folderWith(t),
    )
    assert.equal(code, 1)
    assert.match(stderr, /^trackalert: cannot write standard output: ENOSPC/)
  })

  test('reports without labels are replayed and not judged', async (t) => {
    const plain = REPORTS.slice(0, 200).map(({ label: _l, attack: _a, trap: _t, ...report }) =>
      JSON.stringify(report),
    )
    const cwd = await folderWith(t, { 'plain.ndjson': plain.join('\n') })
    assert.equal(only(await replayed(t, ['-C', 'a.conf', 'plain.ndjson'], { cwd })).judgement, undefined)
  })

  const refusals: readonly (readonly [what: string, words: readonly string[], code: number, text: RegExp])[] =
    [
      ['neither files nor history', ['-C', 'a.conf'], 2, /give files to replay, or --history/],
      [
        'files and history',
        ['-C', 'a.conf', 'reports.ndjson', '--history'],
        2,
        /give files to replay, or --history/,
      ],
      ['standard input twice', ['-C', 'a.conf', '-', '-'], 2, /standard input can be read once/],
      ['too many examples', ['reports.ndjson', '--examples', '1001'], 2, /from 0 to 1000/],
      [
        'a key file without a server',
        ['-C', 'a.conf', 'reports.ndjson', '--key-file', 'k'],
        2,
        /go with .*replay --history/,
      ],
      [
        'a file that is not there',
        ['-C', 'a.conf', 'none.ndjson'],
        1,
        /cannot be replayed: none\.ndjson: ENOENT/,
      ],
      ['a configuration that is not there', ['-C', 'none.conf', 'reports.ndjson'], 1, /none\.conf/],
      [
        'a configuration with a mistake',
        ['-C', 'wrong.conf', 'reports.ndjson'],
        1,
        /wrong\.conf:1: .*nonsense/,
      ],
      ['a configuration without a policy', ['-C', 'empty.conf', 'reports.ndjson'], 1, /no setReport\(\)/],
      ['a file that is cut', ['-C', 'a.conf', 'cut.gz'], 1, /cut\.gz: unexpected end of file/],
    ]
  for (const [what, words, code, text] of refusals) {
    test(`${what}: status ${code}, and why`, async (t) => {
      const cwd = await folderWith(t, {
        'wrong.conf': 'nonsense()',
        'empty.conf': '-- nothing',
        'cut.gz': gzipSync(TEXT).subarray(0, 1000),
      })
      const ended = await runProgram(t, ['replay', ...words], { cwd, input: '' })
      assert.equal(ended.code, code, ended.stderr)
      assert.match(ended.stderr, text)
      assert.equal(ended.stdout, '')
    })
  }
})
