/**
 * The operations of the port other than append and commit, by name. Store thread.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { type AlertParts, answerAlertCall } from './alert-calls.ts'
import type { Database } from './database.ts'
import { forgetLogin } from './forget-login.ts'
import type { History } from './history.ts'
import type { Journal } from './journal.ts'
import type { Maintenance } from './maintenance.ts'
import type { HandedReport, StoreCallName, StoreCalls, StoreThreadChange, ToStoreThread } from './messages.ts'
import type { OrphanCount, OrphanRule } from '../store.ts'
import { scanTrendRows } from './scan-trend-rows.ts'
import type { TrendRows } from './trend-rows.ts'

interface Parts extends AlertParts {
  readonly journal: Journal
  readonly history: History
  readonly maintenance: Maintenance
  readonly database: Database
  readonly trendRows: TrendRows
  readonly reconfigure: (change: StoreThreadChange) => Promise<void>
}

type CallMessage = Extract<ToStoreThread, { readonly type: 'call' }>
type Answer = StoreCalls[StoreCallName]['answer']

/** Does what was asked for; resolves when it is on disk, if it changes anything. */
export async function answerCall(
  parts: Parts,
  message: CallMessage,
  run: (reports: readonly HandedReport[]) => void,
): Promise<Answer> {
  const { writer, journal, history, outbox, maintenance } = parts
  switch (message.name) {
    case 'claimDue':
      return outbox.claim(message.args)
    case 'rewriteMessage':
      await writer.submit('change', (batch) => outbox.stageRewrite(batch, message.args.id, message.args.body))
      return undefined
    case 'settleDelivered':
      await writer.submit('change', (batch) => outbox.stageDelivered(batch, message.args.ids))
      return undefined
    case 'settleRetry':
      await writer.submit('change', (batch) => outbox.stageRetry(batch, message.args.id, message.args))
      return undefined
    case 'settleDead':
      await writer.submit('change', (batch) => outbox.stageDead(batch, message.args.id, message.args))
      return undefined
    case 'buryOrphans':
      return await buryOrphans(parts, message.args)
    case 'deadLetters':
      return await outbox.listDead(message.args.limit)
    case 'resendDeadLetter':
      return await resend(parts, message.args.id, message.args.nowMs)
    case 'failedReports':
      return await journal.listFailed(message.args.limit)
    case 'rerunFailedReport':
      return await rerun(parts, message.args.id, run)
    case 'history':
      return await history.query(message.args)
    case 'forgetLogin':
      return await forgetLogin(parts, message.args.login)
    case 'scanTrends':
      return await scanTrendRows(parts.database, message.args)
    case 'reconfigure':
      await parts.reconfigure(message.args)
      return undefined
    case 'alerts':
      return await answerAlertCall(parts, message.args)
    case 'expire':
      return await maintenance.expire(message.args.nowMs)
    case 'subscribe':
      for (const reports of journal.unfinished()) {
        run(reports)
        await nextTurn()
      }
      return undefined
    default:
      return message satisfies never
  }
}

async function resend({ writer, outbox }: Parts, id: number, nowMs: number): Promise<boolean> {
  let isThere = false
  await writer.submit('change', (batch) => {
    isThere = outbox.stageResend(batch, id, nowMs)
  })
  return isThere
}

async function buryOrphans({ writer, outbox }: Parts, rule: OrphanRule): Promise<readonly OrphanCount[]> {
  let counts: readonly OrphanCount[] = []
  await writer.submit('change', (batch) => {
    counts = outbox.stageBuryOrphans(batch, rule)
  })
  return counts
}

async function rerun(
  { writer, journal }: Parts,
  id: number,
  run: (reports: readonly HandedReport[]) => void,
): Promise<boolean> {
  let report: HandedReport | undefined
  await writer.submit('change', (batch) => {
    report = journal.stageRerun(batch, id)
  })
  if (report === undefined) return false
  run([report])
  return true
}
