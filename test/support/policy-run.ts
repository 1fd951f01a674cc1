/**
 * A policy worker's inside without its thread: the Lua state, its view of trends and the runner, over any store. Jobs go in
 * batches as the main thread sends them; outcomes are committed when the test says so.
 */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { encodeLoginReport } from '../../src/login/report-codec.ts'
import { parseLoginReport } from '../../src/login/parse-report.ts'
import { JobRunner } from '../../src/policy/job-runner.ts'
import type { Job, RunOutcome, RunResult, WorkerSetup } from '../../src/policy/messages.ts'
import { createPolicyState } from '../../src/policy/policy-state.ts'
import { QuestionChannel } from '../../src/policy/question-channel.ts'
import { WorkerTrends } from '../../src/policy/worker-trends.ts'
import type { Outcome, Store, TrendReader } from '../../src/store/store.ts'
import { workerSetup } from './worker-setup.ts'

const DEADLINE_MS = 20_000

interface PolicyRunOptions {
  readonly source: string
  readonly store: Pick<Store, 'append' | 'commit'>
  readonly reader: TrendReader
  readonly worker: number
  readonly timeSource: WorkerSetup['timeSource']
}

export interface LoggedLine {
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>>
}

export interface PolicyRun {
  /** What the policy logged. */
  readonly lines: readonly LoggedLine[]
  /** Stores the reports and starts their runs as one batch. */
  readonly report: (reports: readonly object[]) => Promise<void>
  /** Commits what has ended and was not committed yet; resolves when it is stored. */
  readonly commit: () => Promise<void>
  /** Resolves when every report that was started has ended. */
  readonly ended: () => Promise<void>
  /** Calls a custom endpoint that ends well: its answer. */
  readonly call: (name: string, attrs: Readonly<Record<string, string>>) => Promise<unknown>
  /** Closes the reader, which must be before the store closes. */
  readonly close: () => Promise<void>
}

/** @param source the configuration file's text */
export async function startPolicyRun(options: PolicyRunOptions): Promise<PolicyRun> {
  const { store, reader, worker, timeSource } = options
  const lines: LoggedLine[] = []
  const trends = new WorkerTrends(reader, worker)
  const state = await createPolicyState(workerSetup(options), {
    notify: (notice) => notice.type === 'log' && lines.push(notice),
    trends,
    questions: new QuestionChannel(() => assert.fail('the store is not asked here')),
  })
  const started = new Map<number, number>()
  const uncommitted: Outcome[] = []
  const answers = new Map<number, RunOutcome>()
  const runner = new JobRunner(state, timeSource, ({ id, outcome }: RunResult) => {
    const reportId = started.get(id)
    started.delete(id)
    if (reportId === undefined) {
      answers.set(id, outcome)
    } else if (outcome.ok) {
      const ended = outcome.effects?.trends
      const deltas = ended?.deltas ?? new Uint8Array(0)
      uncommitted.push({ kind: 'done', reportId, deltas, messages: [], commit: ended?.commit })
    } else {
      uncommitted.push({ kind: 'failed', reportId, failure: outcome.failure, atMs: 0 })
    }
  })
  let nextJob = 1

  function start(jobs: readonly Job[]): void {
    trends.releaseView()
    for (const job of jobs) runner.start(job)
  }

  async function until(isSo: () => boolean): Promise<void> {
    const endMs = performance.now() + DEADLINE_MS
    while (!isSo()) {
      assert.ok(performance.now() < endMs, 'the runs do not end')
      await sleep(1)
    }
  }

  return {
    lines,
    async report(reports) {
      const receivedAtMs = Date.now()
      const texts = reports.map((report) => textOf(report))
      const outcome = await store.append(
        texts.map(({ login, text }) => ({ login, text, remote: '192.0.2.1', success: true, receivedAtMs })),
      )
      assert.ok(outcome.kind === 'durable')
      const jobs = outcome.reports.map(({ id: reportId, text }): Job => {
        const id = nextJob++
        started.set(id, reportId)
        return { id, kind: 'report', report: text, receivedAtMs }
      })
      start(jobs)
    },
    commit: () => store.commit(uncommitted.splice(0)),
    ended: () => until(() => started.size === 0),
    async call(name, attrs) {
      const id = nextJob++
      start([{ id, kind: 'endpoint', name, args: { attrs, attrs_mv: {} } }])
      await until(() => answers.has(id))
      const outcome = answers.get(id)
      answers.delete(id)
      assert.ok(outcome?.ok === true, JSON.stringify(outcome))
      return outcome.answer
    },
    close: () => trends.close(),
  }
}

function textOf(fields: object): { readonly login: string; readonly text: string } {
  const parsed = parseLoginReport({ remote: '192.0.2.1', success: true, ...fields }, Date.now() / 1000)
  assert.ok(parsed.ok)
  return { login: parsed.report.login, text: encodeLoginReport(parsed.report) }
}
