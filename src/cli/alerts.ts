/**
 * `trackalert alerts`: asks a running server for its alerts over HTTP and prints them, or looks after one. Main thread of
 * the client.
 */
import type { Inspection } from '../config/inspection.ts'
import { networkFailure } from '../outgoing/network-failure.ts'
import { explanationText } from '../alerts/explanation-text.ts'
import { alertDetails, alertLine, alertRows, alertTable } from './alert-text.ts'
import type { AlertFormat, AlertListing, AlertsChoice, AlertWish } from './alerts-options.ts'
import { EXIT, type ExitStatus } from './exit-status.ts'
import { followAlerts } from './follow-alerts.ts'
import { askServer, findHttpTarget, type HttpTarget } from './http-target.ts'
import { readAlerts, readReason, type ShownAlert } from './shown-alert.ts'
import { readExplained } from './shown-explanation.ts'

/** Ten thousand alerts take a while. */
const TIMEOUT_MS = 30_000
const OK = 200
const PATH = '/command/alerts'
/** What is followed starts with the latest. */
const FOLLOW_SINCE = '1m'
/** The most that the server lists at once. */
const FOLLOW_LIMIT = '10000'

export interface AlertsDeps {
  /** Looks at the configuration, for the listener and the password. */
  readonly inspect: () => Promise<Inspection>
  readonly write: (text: string) => void
  readonly writeError: (text: string) => void
  /** Somebody still reads what is written. */
  readonly isRead: () => boolean
  /** Who runs the command. */
  readonly user: string
}

export type Fetched = { readonly kind: 'alerts'; readonly alerts: readonly ShownAlert[] } | NotFetched

/** `reason` is a sentence without an end. */
interface NotFetched {
  readonly kind: 'refused' | 'unreachable'
  readonly reason: string
}

/**
 * @returns 0 when it was done, 1 when the server refused it or has no such alert, 3 when it cannot be reached.
 * @throws TrackError TRK_REPORT_SETTINGS when it is not known where to ask, or with which password
 */
export async function runAlerts(choice: AlertsChoice, deps: AlertsDeps): Promise<ExitStatus> {
  const { wish, format } = choice
  const target = await findHttpTarget(choice.server, deps.inspect)
  if (wish.kind === 'list' && wish.follow) {
    const { since = FOLLOW_SINCE, ...listing } = wish.listing
    return await followAlerts(since, {
      fetch: (from) => fetchAlerts(target, queryPath({ ...listing, since: from, limit: FOLLOW_LIMIT })),
      print: (alerts, isFirst) => deps.write(listText(alerts, format, isFirst)),
      writeError: deps.writeError,
      isRead: deps.isRead,
      now: Date.now,
    })
  }
  if (wish.kind === 'explain') return await explain(target, { id: wish.id, format }, deps)
  const fetched = await fetchWish(target, wish, deps.user)
  if (fetched.kind === 'alerts') {
    deps.write(
      wish.kind === 'show' && format === 'table'
        ? fetched.alerts.map(alertDetails).join('')
        : listText(fetched.alerts, format, true),
    )
    return EXIT.ok
  }
  return failed(fetched, deps)
}

function failed({ kind, reason }: NotFetched, { writeError }: AlertsDeps): ExitStatus {
  writeError(`${reason}\n`)
  return kind === 'refused' ? EXIT.failed : EXIT.unreachable
}

async function explain(
  target: HttpTarget,
  { id, format }: { readonly id: number; readonly format: AlertFormat },
  deps: AlertsDeps,
): Promise<ExitStatus> {
  const fetched = await fetchWith(target, { path: `${PATH}?id=${id}&explain=true` }, readExplained)
  if (fetched.kind !== 'read') return failed(fetched, deps)
  const { json, alert, raises } = fetched.value
  deps.write(format === 'json' ? `${json}\n` : explanationText(alert, raises))
  return EXIT.ok
}

type FetchedWish = Exclude<AlertWish, { readonly kind: 'explain' }>

function fetchWish(target: HttpTarget, wish: FetchedWish, user: string): Promise<Fetched> {
  switch (wish.kind) {
    case 'list':
      return fetchAlerts(target, queryPath(wish.listing))
    case 'show':
      return fetchAlerts(target, `${PATH}?id=${wish.id}`)
    case 'act': {
      const { action, id, author = user, comment } = wish
      return fetchAlerts(target, PATH, JSON.stringify({ action, id, author, comment }))
    }
    default:
      return wish satisfies never
  }
}

function queryPath(listing: AlertListing): string {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(listing)) if (value !== undefined) query.set(name, String(value))
  return `${PATH}?${query.toString()}`
}

async function fetchAlerts(target: HttpTarget, path: string, body?: string): Promise<Fetched> {
  const fetched = await fetchWith(target, body === undefined ? { path } : { path, body }, readAlerts)
  return fetched.kind === 'read' ? { kind: 'alerts', alerts: fetched.value } : fetched
}

/** @param read - undefined for what is no such answer */
async function fetchWith<T>(
  target: HttpTarget,
  question: { readonly path: string; readonly body?: string },
  read: (body: string) => T | undefined,
): Promise<{ readonly kind: 'read'; readonly value: T } | NotFetched> {
  try {
    const answer = await askServer(target, { ...question, timeoutMs: TIMEOUT_MS })
    if (answer.status !== OK)
      return {
        kind: 'refused',
        reason: `the server answered with status ${answer.status}: ${readReason(answer.body)}`,
      }
    const value = read(answer.body)
    return value === undefined
      ? { kind: 'refused', reason: 'the server answered something else; it may be of an older version' }
      : { kind: 'read', value }
  } catch (error) {
    return { kind: 'unreachable', reason: `no answer from ${target.origin}: ${networkFailure(error).text}` }
  }
}

function listText(alerts: readonly ShownAlert[], format: AlertFormat, hasHeader: boolean): string {
  switch (format) {
    case 'table':
      return hasHeader ? alertTable(alerts) : alertRows(alerts)
    case 'json':
      return alerts.map(({ json }) => `${json}\n`).join('')
    case 'line':
      return alerts.map(alertLine).join('')
    default:
      return format satisfies never
  }
}
