/**
 * What the contract suites of the store share: the store under test, and short ways to say what is asked of it.
 */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { AlertEffect } from '../../src/alerts/alert.ts'
import type {
  CommitStamp,
  JournalledReport,
  Outcome,
  OutboxMessage,
  ReportToAppend,
  RunFailureRecord,
  Store,
  TrendReader,
} from '../../src/store/store.ts'
import { decodeCount, encodeCounts, type CountChange, type CountRow } from './counting-trends.ts'
import { START_MS } from './store-reports.ts'
import { textToBytes } from './text-bytes.ts'

export interface SuiteOptions {
  readonly historyDays?: number
  readonly historyMegabytes?: number
  readonly backlogReports?: number
  readonly maxKeys?: number
  readonly alertHistoryDays?: number
  readonly maxOpenAlerts?: number
}

/** One store under test. */
export interface SuiteStore {
  readonly store: Store
  readonly reader: (worker: number) => Promise<TrendReader>
}

export type OpenStore = (t: TestContext, options: SuiteOptions) => Promise<SuiteStore>

export const failure: RunFailureRecord = {
  code: 'TRK_LUA_ERROR',
  message: 'boom',
  traceback: 'stack traceback: policy.lua:7',
}

export function done(
  reportId: number | undefined,
  changes: readonly CountChange[] = [],
  more: {
    readonly messages?: readonly OutboxMessage[]
    readonly alerts?: readonly AlertEffect[]
    readonly commit?: CommitStamp
  } = {},
): Outcome {
  return { kind: 'done', reportId, deltas: encodeCounts(changes), messages: [], commit: undefined, ...more }
}

export async function append(
  store: Store,
  ...reports: ReportToAppend[]
): Promise<readonly JournalledReport[]> {
  const outcome = await store.append(reports)
  assert.equal(outcome.kind, 'durable')
  return outcome.kind === 'durable' ? outcome.reports : []
}

export async function readRow(
  reader: TrendReader,
  database: string,
  key: string,
): Promise<CountRow | undefined> {
  const view = await reader.openView()
  const bytes = await view.readRow(database, textToBytes(key))
  view.close()
  return decodeCount(bytes)
}

export function message(deliveryId: string, receiver: string, createdAtMs = START_MS): OutboxMessage {
  return { deliveryId, receiver, body: `{"to":"${receiver}"}`, createdAtMs }
}

/** Titles of one adapter. */
export function titled(name: string): (title: string, body: (t: TestContext) => Promise<void>) => void {
  return (title, body) => {
    test(`${name}: ${title}`, body)
  }
}

/** For what goes on after its answer: looks for up to five seconds. */
export async function waitFor(isTrue: () => boolean): Promise<void> {
  for (let tries = 0; !isTrue(); tries++) {
    assert.ok(tries < 500, 'it did not happen within five seconds')
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
