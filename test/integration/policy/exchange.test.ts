/** One pool of workers takes over from another: what happens to runs that do not end, or cannot be stored. */
import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { parseLoginReport } from '../../../src/login/parse-report.ts'
import { encodeLoginReport } from '../../../src/login/report-codec.ts'
import { unpackLines } from '../../../src/policy/log-lines.ts'
import type { RunOutcome } from '../../../src/policy/messages.ts'
import { createPolicyPool, type PolicyPool } from '../../../src/policy/policy-pool.ts'
import { policyThreads } from '../../../src/policy/policy-thread-starter.ts'
import { PolicyRuns, type PoolExchange } from '../../../src/policy/policy-runs.ts'
import { atEnd } from '../../support/clean-up.ts'
import { temporaryStore } from '../../support/embedded-store.ts'
import { silentLog } from '../../support/silent-log.ts'
import { startReceiver, type WebHookReceiver } from '../../support/web-hook-receiver.ts'
import { workerSetup } from '../../support/worker-setup.ts'

interface Rig {
  /** What policies logged. */
  readonly lines: readonly string[]
  readonly start: (source: string, workers?: number) => Promise<PolicyPool>
}

async function rig(t: TestContext): Promise<Rig> {
  const { store } = await temporaryStore(t)
  const lines: string[] = []
  let worker = 0
  return {
    lines,
    async start(source, workers = 1) {
      const pool = createPolicyPool(
        {
          log: silentLog,
          onRun: () => undefined,
          onNotice: (notice) =>
            notice.type === 'log-lines' &&
            lines.push(...unpackLines(notice.lines).map((line) => line.message)),
          onLost: () => undefined,
          openReader: () => ({ ...store.readerAccess(), worker: ++worker }),
          answer: () => Promise.resolve({ kind: 'done', found: false }),
        },
        {
          workers,
          maxPendingForCalls: 10,
          threads: policyThreads(128),
          setup: workerSetup({ source, timeSource: 'receipt' }),
        },
      )
      await pool.start()
      atEnd(t, () => pool.stop())
      return pool
    },
  }
}

/** A server whose answers wait for the test. */
async function slowServer(t: TestContext): Promise<WebHookReceiver & { readonly release: () => void }> {
  const waiting: (() => void)[] = []
  const receiver = await startReceiver(t, (_request, response) => waiting.push(() => response.end()))
  return { ...receiver, release: () => waiting.splice(0).forEach((end) => end()) }
}

function report(login: string, session: string) {
  const parsed = parseLoginReport({ login, remote: '192.0.2.1', success: true, session_id: session }, 0)
  assert.ok(parsed.ok)
  return { login, text: encodeLoginReport(parsed.report), receivedAtMs: Date.now() }
}

const reporting = (name: string, wait = ''): string => `
  setReport(function(lt)
    infoLog("${name} begins " .. lt.login .. " " .. lt.session_id, {})
    ${wait}
    infoLog("${name} ends " .. lt.login .. " " .. lt.session_id, {})
  end)
  setCustomEndpoint("which", function() return true, {pool="${name}"} end)
  setBackground("which", function() infoLog("${name} in the background", {}) end)`

const waitingAt = (url: string): string => `http.request{url="${url}", timeout=25}`

const exchangeOptions = (options: Partial<PoolExchange> = {}): PoolExchange => ({
  limits: { runsMs: 20_000, commitsMs: 20_000 },
  signal: new AbortController().signal,
  beforeSwitch: () => Promise.resolve(),
  atSwitch: () => undefined,
  ...options,
})

describe('an exchange of pools', () => {
  test('gives up runs that do not end in time; the new pool runs them from the start, in order', async (t) => {
    const slow = await slowServer(t)
    const { start, lines } = await rig(t)
    const old = await start(reporting('old', waitingAt(slow.url)))
    const runs = new PolicyRuns(old, 10)
    const settled: string[] = []
    for (let session = 0; session < 5; session++) {
      runs.runReport(report('ann', String(session)), (outcome) => {
        settled.push(`${session} ${outcome.ok}`)
      })
    }
    await slow.waitForCount(1)
    const next = await start(reporting('new'), 2)
    const left = await runs.exchange(next, exchangeOptions({ limits: { runsMs: 50, commitsMs: 1000 } }))
    assert.equal(left, old)
    assert.equal(await runs.drain(10_000), 0)
    assert.deepEqual(settled, ['0 true', '1 true', '2 true', '3 true', '4 true'])
    assert.deepEqual(lines, [
      'old begins ann 0',
      ...[0, 1, 2, 3, 4].flatMap((session) => [`new begins ann ${session}`, `new ends ann ${session}`]),
    ])
    // What the given-up thread had waited for comes too late to do anything.
    slow.release()
    await left.stop()
    assert.equal(lines.length, 11)
    assert.equal(runs.pending(), 0)
  })

  test('holds back reports, calls and background runs until the old ones have ended', async (t) => {
    const slow = await slowServer(t)
    const { start, lines } = await rig(t)
    const runs = new PolicyRuns(await start(reporting('old', waitingAt(slow.url))), 10)
    const ended = new Promise<RunOutcome>((resolve) => runs.runReport(report('ann', 'first'), resolve))
    await slow.waitForCount(1)
    const exchanging = runs.exchange(await start(reporting('new')), exchangeOptions())
    const held = new Promise<RunOutcome>((resolve) => runs.runReport(report('ann', 'held'), resolve))
    const call = runs.runEndpoint('which', { attrs: {}, attrs_mv: {} })
    const background = runs.runBackground('which')
    assert.equal(runs.waiting(), 3)
    assert.deepEqual(runs.readiness(), { ready: true })
    slow.release()
    assert.equal((await ended).ok, true)
    await exchanging
    assert.equal((await held).ok, true)
    const outcome = await call
    assert.ok(outcome?.ok === true && outcome.answer?.kind === 'endpoint')
    assert.deepEqual({ ...outcome.answer.attributes }, { pool: 'new' })
    assert.equal((await background).ok, true)
    assert.deepEqual(lines.slice(0, 2), ['old begins ann first', 'old ends ann first'])
    assert.deepEqual(lines.slice(2).toSorted(), [
      'new begins ann held',
      'new ends ann held',
      'new in the background',
    ])
  })

  test('takes no more calls while it lasts than the pool would', async (t) => {
    const slow = await slowServer(t)
    const { start } = await rig(t)
    const runs = new PolicyRuns(await start(reporting('old', waitingAt(slow.url))), 3)
    runs.runReport(report('ann', 'first'), () => undefined)
    await slow.waitForCount(1)
    const exchanging = runs.exchange(await start(reporting('new')), exchangeOptions())
    const calls = [1, 2, 3].map(() => runs.runEndpoint('which', { attrs: {}, attrs_mv: {} }))
    assert.deepEqual(
      calls.map((call) => call !== undefined),
      [true, true, false],
    )
    slow.release()
    await exchanging
    for (const call of calls) assert.notEqual((await call)?.ok, false)
  })

  const refusals: readonly {
    readonly why: string
    readonly isStored: boolean
    readonly options: Partial<PoolExchange>
    readonly error: RegExp
  }[] = [
    {
      why: 'an outcome is not stored in time',
      isStored: false,
      options: { limits: { runsMs: 20_000, commitsMs: 50 } },
      error: /the outcomes of 1 runs cannot be stored now/,
    },
    {
      why: 'the last check says no',
      isStored: true,
      options: { beforeSwitch: () => Promise.reject(new Error('it says no')) },
      error: /it says no/,
    },
  ]
  for (const { why, isStored, options, error } of refusals) {
    test(`is off when ${why}: the old pool goes on with everything, in order`, async (t) => {
      const { start, lines } = await rig(t)
      const old = await start(reporting('old'))
      const runs = new PolicyRuns(old, 10)
      const storing = Promise.withResolvers<void>()
      if (isStored) storing.resolve()
      runs.runReport(report('ann', '1'), () => storing.promise)
      const next = await start(reporting('new'))
      let hasSwitched = false
      const exchanging = runs.exchange(
        next,
        exchangeOptions({ ...options, atSwitch: () => (hasSwitched = true) }),
      )
      runs.runReport(report('ann', '2'), () => undefined)
      await assert.rejects(exchanging, error)
      storing.resolve()
      assert.equal(await runs.drain(10_000), 0)
      assert.equal(hasSwitched, false)
      assert.equal(runs.pool, old)
      assert.deepEqual(lines, ['old begins ann 1', 'old ends ann 1', 'old begins ann 2', 'old ends ann 2'])
    })
  }

  test('is off when the server stops: runs in progress are not given up', async (t) => {
    const slow = await slowServer(t)
    const { start, lines } = await rig(t)
    const runs = new PolicyRuns(await start(reporting('old', waitingAt(slow.url))), 10)
    runs.runReport(report('ann', '1'), () => undefined)
    await slow.waitForCount(1)
    const stop = new AbortController()
    const exchanging = runs.exchange(await start(reporting('new')), exchangeOptions({ signal: stop.signal }))
    stop.abort()
    await assert.rejects(exchanging, { code: 'TRK_STOPPING' })
    slow.release()
    assert.equal(await runs.drain(10_000), 0)
    assert.deepEqual(lines, ['old begins ann 1', 'old ends ann 1'])
  })

  test('that is off after runs were given up has the old pool run them again, on new threads', async (t) => {
    const slow = await slowServer(t)
    const { start, lines } = await rig(t)
    const runs = new PolicyRuns(await start(reporting('old', waitingAt(slow.url))), 10)
    const ended = new Promise<RunOutcome>((resolve) => runs.runReport(report('ann', '1'), resolve))
    await slow.waitForCount(1)
    await assert.rejects(
      runs.exchange(
        await start(reporting('new')),
        exchangeOptions({
          limits: { runsMs: 50, commitsMs: 1000 },
          beforeSwitch: () => Promise.reject(new Error('no')),
        }),
      ),
      { message: 'no' },
    )
    await slow.waitForCount(2)
    slow.release()
    assert.equal((await ended).ok, true)
    assert.deepEqual(lines, ['old begins ann 1', 'old begins ann 1', 'old ends ann 1'])
  })
})
