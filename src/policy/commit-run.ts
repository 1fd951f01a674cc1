/**
 * What happens when a run has ended: its outcome is committed, all of it or nothing, and counted. The one place for it, on
 * the main thread.
 */
import { randomUUID } from 'node:crypto'
import type { AlertEffect } from '../alerts/alert.ts'
import { messageOf } from '../errors.ts'
import type { Outcome, OutboxMessage, Store } from '../store/store.ts'
import type { Log } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { Statistics } from '../telemetry/statistics.ts'
import { isQuiet } from './quiet-runs.ts'
import type { CommittedEffects, RunFailure, RunOutcome } from './messages.ts'

interface CommitDeps {
  readonly log: Log
  readonly metrics: Metrics
  readonly statistics: Statistics
  readonly store: Pick<Store, 'commit'>
  /** Unix milliseconds. */
  readonly now: () => number
  /** Room in the webhook queue. */
  readonly roomForWebHooks: () => number
  /** Committed webhooks wait for these receivers. */
  readonly onWebHooks: (hooks: ReadonlySet<string>) => void
  /** A webhook found the queue full. */
  readonly onWebHookRefused: (hook: string) => void
  /** A Lua function failed; the log knows it. */
  readonly onFailure: (name: string, message: string) => void
  /** A run has raised or resolved alerts, and that is stored. */
  readonly onAlerts: (effects: readonly AlertEffect[]) => void
}

/** What ran: `report` with the report's number in the journal, or a function's name. */
export interface EndedRun {
  readonly name: string
  readonly reportId: number | undefined
}

export type CommitResult = 'committed' | 'not-stored'

export interface RunCommitter {
  /** Resolves when the outcome is durable, or could not be stored; never rejects. */
  readonly commit: (run: EndedRun, outcome: RunOutcome) => Promise<CommitResult>
}

export function createRunCommitter(deps: CommitDeps): RunCommitter {
  const { log, metrics, statistics, store } = deps
  /** Webhooks that the store has been given and does not count yet. */
  let onTheirWay = 0

  /** Runs that end together are stored together, with one promise for all of them; this is what each of them gets. */
  let latest: { readonly stored: Promise<void>; readonly result: Promise<CommitResult> } | undefined

  function commit(run: EndedRun, outcome: RunOutcome): Promise<CommitResult> {
    return outcome.ok && isQuiet(outcome) ? commitQuiet(run, outcome.effects) : commitWhole(run, outcome)
  }

  function commitQuiet(run: EndedRun, effects: CommittedEffects | undefined): Promise<CommitResult> {
    const ended = doneOutcome(run, effects, [])
    if (ended === undefined) return COMMITTED
    const stored = store.commit([ended])
    if (latest?.stored !== stored) {
      latest = {
        stored,
        result: stored.then(
          () => 'committed',
          (error: unknown) => notStored(run, error),
        ),
      }
    }
    return latest.result
  }

  async function commitWhole(run: EndedRun, outcome: RunOutcome): Promise<CommitResult> {
    if (!outcome.ok) noteFailure(run.name, outcome.failure)
    const effects = outcome.ok ? outcome.effects : undefined
    const messages = effects === undefined ? [] : messagesOf(effects)
    const ended = outcome.ok ? doneOutcome(run, effects, messages) : failedOutcome(run, outcome.failure)
    if (ended !== undefined && !(await isStored(run, ended))) return 'not-stored'
    if (messages.length > 0) deps.onWebHooks(new Set(messages.map(({ receiver }) => receiver)))
    if (effects?.alerts !== undefined) deps.onAlerts(effects.alerts)
    for (const [stat, count] of effects?.customStats ?? []) {
      statistics.custom.add(stat, count)
      metrics.customStats.inc({ metric: stat }, count)
    }
    return 'committed'
  }

  async function isStored(run: EndedRun, outcome: Outcome): Promise<boolean> {
    const webHooks = outcome.kind === 'done' ? outcome.messages.length : 0
    onTheirWay += webHooks
    try {
      await store.commit([outcome])
      return true
    } catch (error) {
      notStored(run, error)
      return false
    } finally {
      onTheirWay -= webHooks
    }
  }

  function notStored({ name }: EndedRun, error: unknown): CommitResult {
    log.error('an outcome could not be stored; its report will run again after the next start', {
      function: name,
      error: messageOf(error),
    })
    return 'not-stored'
  }

  function noteFailure(name: string, { code, message, traceback }: RunFailure): void {
    metrics.runFailures.inc({ function: name, code })
    deps.onFailure(name, message)
    log.error('a Lua function failed; what it had changed is dropped', {
      function: name,
      code,
      error: message,
      traceback,
    })
  }

  /** The queue's bound is kept here, where a webhook enters it; a full queue must not hold the report back. */
  function messagesOf({ webHooks }: CommittedEffects): readonly OutboxMessage[] {
    const room = Math.max(0, deps.roomForWebHooks() - onTheirWay)
    for (const { hook } of webHooks.slice(room)) deps.onWebHookRefused(hook)
    const createdAtMs = deps.now()
    return webHooks.slice(0, room).map(({ hook, body }) => {
      metrics.webHookEvents.inc()
      return { deliveryId: randomUUID(), receiver: hook, body, createdAtMs }
    })
  }

  function failedOutcome({ reportId }: EndedRun, failure: RunFailure): Outcome | undefined {
    return reportId === undefined ? undefined : { kind: 'failed', reportId, failure, atMs: deps.now() }
  }

  return { commit }
}

function doneOutcome(
  { reportId }: EndedRun,
  effects: CommittedEffects | undefined,
  messages: readonly OutboxMessage[],
): Outcome | undefined {
  const trends = effects?.trends
  const alerts = effects?.alerts
  if (reportId === undefined && trends === undefined && messages.length === 0 && alerts === undefined)
    return undefined
  const deltas = trends?.deltas ?? NO_DELTAS
  const done = { kind: 'done', reportId, deltas, messages, commit: trends?.commit } as const
  return alerts === undefined ? done : { ...done, alerts }
}

const COMMITTED: Promise<CommitResult> = Promise.resolve('committed')
const NO_DELTAS = new Uint8Array(0)
