/**
 * Alerts for the rest of the server: answers what is asked about them, does what operators want, tells routing when there
 * is something to look at, and keeps the metrics. Main thread.
 */
import type { DeliveryNote } from '../store/alert-store.ts'
import type { Alert } from './alert.ts'
import { type AlertConfig, AlertNotifier, type NotifierDeps } from './alert-notifier.ts'
import type { AlertQuestion, AlertReply, ListedAlert, ListedSilence } from './alert-questions.ts'
import { MAX_SILENCES, type Silence } from './silence.ts'

export interface AlertService {
  readonly start: () => void
  readonly stop: () => Promise<void>
  /** Runs that raised or resolved alerts have been committed. */
  readonly wake: () => void
  readonly ask: (question: AlertQuestion) => Promise<AlertReply>
  /** The configuration has been loaded again. */
  readonly configure: (config: AlertConfig) => void
  /** A sender tried to deliver a notification. False when none has this delivery. */
  readonly noteDelivery: (note: DeliveryNote) => Promise<boolean>
  /** Silences and maintenance windows in force. */
  readonly activeSilences: () => number
}

export function createAlertService(deps: NotifierDeps, config: AlertConfig): AlertService {
  const { store, now } = deps
  const notifier = new AlertNotifier(deps, config)
  let inForce = config

  const listed = (alert: Alert): ListedAlert => {
    const silence = alert.state === 'resolved' ? undefined : notifier.silencing(alert)
    return silence === undefined ? alert : { ...alert, silence }
  }

  async function refreshSilences(): Promise<void> {
    notifier.silencesChanged(await store.silences())
  }

  async function removeSilence(id: string): Promise<AlertReply> {
    if (!id.startsWith('s')) {
      const isFixed = [...inForce.silences, ...inForce.windows].some((fixed) => fixed.id === id)
      return isFixed
        ? { kind: 'refused', reason: `${id} stands in the configuration; remove it there` }
        : { kind: 'done', found: false }
    }
    const found = await store.removeSilence(id)
    if (found) await refreshSilences()
    return { kind: 'done', found }
  }

  async function getAlert(id: number): Promise<AlertReply> {
    const [alert] = await store.get([id])
    if (alert === undefined) return { kind: 'no-alert' }
    return { kind: 'alert', alert: listed(alert), notifications: await store.notifications(id) }
  }

  async function explain(id: number): Promise<AlertReply> {
    const [alert] = await store.get([id])
    if (alert === undefined) return { kind: 'no-alert' }
    return { kind: 'explanation', alert: listed(alert), evidence: await store.evidence(id) }
  }

  async function ask(question: AlertQuestion): Promise<AlertReply> {
    switch (question.kind) {
      case 'list':
        return { kind: 'alerts', alerts: (await store.list(question.query)).map(listed) }
      case 'get':
        return await getAlert(question.id)
      case 'explain':
        return await explain(question.id)
      case 'act': {
        const alert = await store.act(question.action)
        notifier.wake()
        return alert === undefined
          ? { kind: 'no-alert' }
          : { kind: 'alert', alert: listed(alert), notifications: [] }
      }
      case 'silences':
        return { kind: 'silences', silences: listSilences(inForce, await store.silences(), now()) }
      case 'add-silence': {
        const made = await store.addSilence(question.silence)
        if (made === undefined)
          return { kind: 'refused', reason: `there are ${MAX_SILENCES} silences already; remove some` }
        await refreshSilences()
        return { kind: 'silence-added', id: made.id }
      }
      case 'remove-silence':
        return await removeSilence(question.id)
      default:
        return question satisfies never
    }
  }

  return {
    start: () => notifier.start(),
    stop: () => notifier.stop(),
    wake: () => notifier.wake(),
    ask,
    configure(changed) {
      inForce = changed
      notifier.configure(changed)
    },
    noteDelivery: (note) => store.noteDelivery(note),
    activeSilences: () => notifier.activeMutes,
  }
}

/** Those of the configuration first; what is over is left out. */
function listSilences(
  { silences, windows }: AlertConfig,
  made: readonly Silence[],
  nowMs: number,
): readonly ListedSilence[] {
  const current = [...silences, ...made]
    .filter(({ untilMs }) => nowMs < untilMs)
    .map((silence) => ({ ...silence, isActive: nowMs >= silence.fromMs }))
  const repeated = windows.map(({ cron, durationMs, ...window }) => {
    const startMs = cron.next(nowMs - durationMs)
    const times = startMs === undefined ? {} : { fromMs: startMs, untilMs: startMs + durationMs }
    return {
      ...window,
      author: 'maintenance window',
      ...times,
      isActive: startMs !== undefined && startMs <= nowMs,
    }
  })
  return [...current, ...repeated]
}
