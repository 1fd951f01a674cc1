/**
 * The end of runs as one message carries it, put into a batch. Store thread.
 */
import type { AlertRows } from './alert-rows.ts'
import type { Journal } from './journal.ts'
import type { CommitMessage } from './messages.ts'
import type { Outbox } from './outbox.ts'
import type { TrendRows } from './trend-rows.ts'
import type { WriteBatch } from './write-batch.ts'

interface Parts {
  readonly journal: Journal
  readonly outbox: Outbox
  readonly alertRows: AlertRows
  readonly trendRows: TrendRows
}

/**
 * Whether somebody waits for the end of these runs: for a webhook or the answer of a custom endpoint. Nobody does for an alert:
 * routing looks at alerts in steps that are longer than a gathering, and an attack, which raises one with every try, would end
 * each as soon as it begins.
 */
export function hasOutwardEffects({ messages, reportIds }: CommitMessage): boolean {
  return messages.length > 0 || reportIds.includes(-1)
}

/** Stages every outcome whose report is still open; the others change nothing. */
export function stageCommit(
  { journal, outbox, alertRows, trendRows }: Parts,
  batch: WriteBatch,
  message: CommitMessage,
): void {
  const failures = new Map(message.failures.map((failed) => [failed.outcome, failed]))
  let nextAlerts = 0
  let deltaAt = 0
  let messageAt = 0
  for (const [index, id] of message.reportIds.entries()) {
    const deltaEnd = deltaAt + (message.deltaSizes[index] ?? 0)
    const messageEnd = messageAt + (message.messageCounts[index] ?? 0)
    const worker = message.stamps[index * 2] ?? -1
    const number = message.stamps[index * 2 + 1] ?? 0
    const failed = failures.get(index)
    // In the order of the outcomes, which few of them have.
    const alerts = message.alerts[nextAlerts]?.outcome === index ? message.alerts[nextAlerts++] : undefined
    if (failed !== undefined) {
      journal.stageFailed(batch, id, failed)
    } else if (id === -1 ? !trendRows.isCommitted(worker, number) : journal.stageDone(batch, id)) {
      trendRows.addChanges(message.deltas.subarray(deltaAt, deltaEnd), worker)
      for (const outgoing of message.messages.slice(messageAt, messageEnd)) outbox.stageAdd(batch, outgoing)
      for (const effect of alerts?.effects ?? []) alertRows.stageEffect(effect, id === -1 ? undefined : id)
    } else {
      trendRows.dropChanges(message.deltas.subarray(deltaAt, deltaEnd))
    }
    // Also for an outcome that came too late: the view of its worker must not wait for it.
    if (worker !== -1) trendRows.noteCommit(worker, number)
    deltaAt = deltaEnd
    messageAt = messageEnd
  }
}
