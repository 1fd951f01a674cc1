/** What counts as now for a policy: the time of receipt, or on replay the reports' own time. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parseLoginReport } from '../../../src/login/parse-report.ts'
import { encodeLoginReport } from '../../../src/login/report-codec.ts'
import { unpackLines } from '../../../src/policy/log-lines.ts'
import type { RunOutcome, WorkerSetup } from '../../../src/policy/messages.ts'
import { createPolicyPool } from '../../../src/policy/policy-pool.ts'
import { policyThreads } from '../../../src/policy/policy-thread-starter.ts'
import { PLAIN_TLS } from '../../support/delivery-rig.ts'
import { openPolicyStore } from '../../support/policy-store.ts'
import { silentLog } from '../../support/silent-log.ts'
import { defined, START_SECONDS } from '../../support/trend-fixtures.ts'

/** Four windows of ten seconds. */
const DEFINITION = defined({
  name: 'logins',
  fields: new Map([
    ['count', 'int'],
    ['seen', 'seen'],
  ]),
  options: {},
})

const POLICY = `
  newStringStatsDB("logins", 10, 4, {count="int", seen="seen"})
  local db = getStringStatsDB("logins")
  setReport(function(lt)
    db:twAdd(lt.login, "count", 1)
    db:twAdd(lt.login, "seen", "it")
    local seen = db:twSeen(lt.login, "seen", "it")
    infoLog("run", {
      time=os.time(), date=os.date("!%Y-%m-%d %H:%M:%S"), count=db:twGet(lt.login, "count"),
      current=db:twGetCurrent(lt.login, "count"), first=seen.first, last=seen.last
    })
  end)
`

type Fields = Readonly<Record<string, unknown>>

/** Runs reports of one login on a real worker, received now, with these times of their own: what the policy logged. */
async function run(
  t: TestContext,
  timeSource: WorkerSetup['timeSource'],
  times: readonly number[],
): Promise<readonly Fields[]> {
  const store = await openPolicyStore(t, [DEFINITION])
  const lines: Fields[] = []
  const pool = createPolicyPool(
    {
      log: silentLog,
      onRun: () => undefined,
      onNotice: (notice) =>
        notice.type === 'log-lines' && lines.push(...unpackLines(notice.lines).map((line) => line.fields)),
      onLost: () => undefined,
      openReader: () => ({ ...store.readerAccess(), worker: 1 }),
      answer: () => assert.fail('the store is not asked here'),
    },
    {
      workers: 1,
      maxPendingForCalls: 1,
      threads: policyThreads(128),
      setup: {
        timeSource,
        configFile: '/nowhere/trackalert.conf',
        configSource: Buffer.from(POLICY),
        stateDirectory: '/nowhere/state',
        regexesFile: fileURLToPath(new URL('../../../regexes.yaml', import.meta.url)),
        webHookNames: [],
        customStats: [],
        tlsClient: PLAIN_TLS,
        geoDatabases: [],
        limits: { cpuMs: 2000, wallMs: 30_000 },
        environment: {},
        hashSeed: new Uint8Array(8),
      },
    },
  )
  try {
    await pool.start()
    for (const time of times) {
      const parsed = parseLoginReport({ login: 'ann', remote: '192.0.2.1', success: true, t: time }, 0)
      assert.ok(parsed.ok)
      const text = encodeLoginReport(parsed.report)
      const outcome = await new Promise<RunOutcome>((resolve) =>
        pool.runReport({ login: 'ann', text, receivedAtMs: Date.now() }, resolve),
      )
      assert.ok(outcome.ok, outcome.ok ? '' : outcome.failure.message)
    }
  } finally {
    // Its reader must be gone before the store closes.
    await pool.stop()
  }
  return lines
}

const TIMES = [START_SECONDS, START_SECONDS + 5, START_SECONDS + 12, START_SECONDS + 47.5] as const

test("on replay windows, items and every clock in Lua follow the reports' own times", async (t) => {
  const lines = await run(t, 'report', TIMES)
  const text = (seconds: number): string =>
    new Date(seconds * 1000).toISOString().slice(0, 19).replace('T', ' ')
  const columns = (name: string): readonly number[] => lines.map((line) => Number(line[name]))
  assert.deepEqual(columns('time'), TIMES.map(Math.floor))
  assert.deepEqual(
    lines.map((line) => line['date']),
    TIMES.map(text),
  )
  // The last report is 47 seconds after the first: only the window of the third is still one of the four.
  assert.deepEqual(columns('count'), [1, 2, 3, 2])
  assert.deepEqual(columns('current'), [1, 2, 1, 1])
  assert.deepEqual(
    columns('first'),
    TIMES.map(() => START_SECONDS),
  )
  assert.deepEqual(columns('last').map(Math.floor), TIMES.map(Math.floor))
})

test('otherwise the time of receipt counts, whatever time a report gives', async (t) => {
  const beganSeconds = Math.floor(Date.now() / 1000)
  const lines = await run(t, 'receipt', TIMES)
  assert.equal(lines.length, TIMES.length)
  for (const line of lines) {
    const { time, first, last } = line
    for (const seconds of [time, first, last])
      assert.ok(Number(seconds) >= beganSeconds && Number(seconds) < beganSeconds + 60, String(seconds))
  }
  assert.equal(Number(lines.at(-1)?.['count']), TIMES.length)
})
