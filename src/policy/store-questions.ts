/**
 * What Lua code asks the store through the main thread: history, failed reports, dead letters, forgetting a person; and
 * delivery, to test an alert sink. Types and the main thread's answers; the asking side is question-channel.ts.
 */
import type { AlertQuestion, AlertReply, AskAlerts } from '../alerts/alert-questions.ts'
import type {
  DeadLetter,
  FailedReport,
  HistoryEntry,
  HistoryQuery,
  Store,
  StoredTrendRow,
} from '../store/store.ts'

export type StoreQuestion =
  | { readonly kind: 'history'; readonly query: HistoryQuery }
  | { readonly kind: 'forget-login'; readonly login: string }
  | { readonly kind: 'failed-reports'; readonly limit: number }
  | { readonly kind: 'rerun-failed-report'; readonly id: number }
  | { readonly kind: 'dead-letters'; readonly limit: number }
  | { readonly kind: 'resend-dead-letter'; readonly id: number }
  | {
      readonly kind: 'scan-trends'
      readonly database: string
      /** Key of the last row that is known. */
      readonly after: Uint8Array | undefined
      readonly limit: number
    }
  | { readonly kind: 'test-alert-sink'; readonly name: string }
  | { readonly kind: 'alerts'; readonly question: AlertQuestion }

export type StoreAnswer =
  | { readonly kind: 'history'; readonly reports: readonly HistoryEntry[] }
  | {
      readonly kind: 'forget-login'
      readonly reports: number
      readonly trendRows: number
      readonly alerts: number
      readonly mails: number
    }
  | { readonly kind: 'failed-reports'; readonly reports: readonly FailedReport[] }
  | { readonly kind: 'dead-letters'; readonly letters: readonly DeadLetter[] }
  | { readonly kind: 'trend-rows'; readonly rows: readonly StoredTrendRow[] }
  | { readonly kind: 'test-alert-sink'; readonly ok: boolean; readonly answer: string }
  | { readonly kind: 'alerts'; readonly reply: AlertReply }
  /** Of an action on one entry: whether there was such an entry. */
  | { readonly kind: 'done'; readonly found: boolean }
  | { readonly kind: 'failed'; readonly message: string }

interface AnswerDeps {
  readonly store: Store
  readonly now: () => number
  readonly askAlerts: AskAlerts
  /** A dead letter is back in the outbox. */
  readonly onResent: () => void
  /** Sends a test through an alert sink. */
  readonly sendTest: (sink: string) => Promise<{ readonly ok: boolean; readonly answer: string }>
}

/** Answers a question; rejects when the store does. */
export async function answerStoreQuestion(
  { store, now, onResent, sendTest, askAlerts }: AnswerDeps,
  question: StoreQuestion,
): Promise<StoreAnswer> {
  switch (question.kind) {
    case 'history':
      return { kind: 'history', reports: await store.history(question.query) }
    case 'forget-login':
      return { kind: 'forget-login', ...(await store.forgetLogin(question.login)) }
    case 'alerts':
      return { kind: 'alerts', reply: await askAlerts(question.question) }
    case 'failed-reports':
      return { kind: 'failed-reports', reports: await store.failedReports(question.limit) }
    case 'rerun-failed-report':
      return { kind: 'done', found: await store.rerunFailedReport(question.id) }
    case 'dead-letters':
      return { kind: 'dead-letters', letters: await store.deadLetters(question.limit) }
    case 'resend-dead-letter': {
      const found = await store.resendDeadLetter(question.id, now())
      if (found) onResent()
      return { kind: 'done', found }
    }
    case 'scan-trends':
      return {
        kind: 'trend-rows',
        rows: await store.scanTrends(question.database, question.after, question.limit),
      }
    case 'test-alert-sink':
      return { kind: 'test-alert-sink', ...(await sendTest(question.name)) }
    default:
      return question satisfies never
  }
}
