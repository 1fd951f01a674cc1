/**
 * The alerts command: what clients ask in a query or a body, and the answers. Lives on the threads that take requests.
 */
import type { AlertReply } from '../alerts/alert-questions.ts'
import { ALERT_LIMITS, ALERT_STATES, type AlertAction, type AlertState } from '../alerts/alert.ts'
import { viewAlert, viewEvidence, viewNotification } from '../alerts/alert-view.ts'
import { isSeverity, SEVERITIES } from '../alerts/severity.ts'
import { parseDate, parseTimeSpan, SPAN_HINT, TIME_HINT } from '../alerts/time-span.ts'
import { messageOf } from '../errors.ts'
import { isObject } from '../login/attributes.ts'
import { parseJsonBody } from '../login/json-body.ts'
import { type AlertQuery, MAX_ALERTS_LISTED } from '../store/alert-store.ts'
import { failure, json, LATE, retryAfter, type Answer } from './answer.ts'
import type { HttpPorts } from './http-ports.ts'
import { withinDeadline } from './within-deadline.ts'

type AlertPorts = Pick<HttpPorts, 'askAlerts' | 'now'>

const QUERY_NAMES = [
  'command',
  'id',
  'explain',
  'since',
  'severity',
  'state',
  'rule',
  'key',
  'limit',
] as const
const DEFAULT_LIMIT = 100
const RETRY_SECONDS = 5
const ACTIONS = { ack: 'acknowledge', resolve: 'resolve', comment: 'comment' } as const
const NO_ALERT = failure(404, 'There is no such alert')

type Read<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: string }

/** GET: the alerts that fit, or with `id` one of them and what was told of it. */
export async function alertListAnswer(ports: AlertPorts, target: string, timeoutMs: number): Promise<Answer> {
  const question = target.indexOf('?')
  const query = new URLSearchParams(question === -1 ? '' : target.slice(question + 1))
  const unknown = [...query.keys()].find((name) => !QUERY_NAMES.some((known) => known === name))
  if (unknown !== undefined)
    return failure(400, `There is no parameter ${unknown}; there are ${QUERY_NAMES.slice(1).join(', ')}`)
  const id = query.get('id')
  if (id !== null) {
    const number = numberOf(id)
    return number === undefined
      ? failure(400, 'id must be the number of an alert')
      : await oneAlertAnswer(ports, { id: number, explain: query.get('explain') }, timeoutMs)
  }
  if (query.has('explain')) return failure(400, 'explain goes with id')
  const asked = readQuery(query, (ports.now ?? Date.now)())
  if (!asked.ok) return failure(400, asked.reason)
  return await answerOf(ports.askAlerts({ kind: 'list', query: asked.value }), timeoutMs)
}

function oneAlertAnswer(
  ports: AlertPorts,
  { id, explain }: { readonly id: number; readonly explain: string | null },
  timeoutMs: number,
): Promise<Answer> {
  switch (explain) {
    case null:
      return answerOf(ports.askAlerts({ kind: 'get', id }), timeoutMs)
    case 'true':
      return answerOf(ports.askAlerts({ kind: 'explain', id }), timeoutMs)
    default:
      return Promise.resolve(failure(400, 'explain must be true, or be left out'))
  }
}

/** POST: acknowledges, resolves or comments one. */
export async function alertActionAnswer(
  ports: AlertPorts,
  body: Uint8Array,
  timeoutMs: number,
): Promise<Answer> {
  const action = readAction(body, (ports.now ?? Date.now)())
  if (!action.ok) return failure(400, action.reason)
  return await answerOf(ports.askAlerts({ kind: 'act', action: action.value }), timeoutMs)
}

async function answerOf(asked: Promise<AlertReply>, timeoutMs: number): Promise<Answer> {
  let reply: AlertReply | undefined
  try {
    reply = await withinDeadline(asked, timeoutMs)
  } catch (error) {
    return retryAfter(failure(503, messageOf(error)), RETRY_SECONDS)
  }
  switch (reply?.kind) {
    case undefined:
      return LATE
    case 'alerts':
      return json(200, JSON.stringify({ alerts: reply.alerts.map(viewAlert) }))
    case 'alert': {
      const notifications = reply.notifications.map(viewNotification)
      return json(200, JSON.stringify({ alert: { ...viewAlert(reply.alert), notifications } }))
    }
    case 'explanation': {
      const explanation = viewEvidence(reply.evidence)
      return json(200, JSON.stringify({ alert: viewAlert(reply.alert), explanation }))
    }
    case 'no-alert':
      return NO_ALERT
    case 'refused':
      return failure(400, reply.reason)
    default:
      return failure(500, 'The answer is to another question')
  }
}

function readQuery(query: URLSearchParams, nowMs: number): Read<AlertQuery> {
  const text = (name: (typeof QUERY_NAMES)[number]): string | undefined => {
    const value = query.get(name)
    return value === null || value === '' ? undefined : value
  }
  const since = text('since')
  const sinceMs = since === undefined ? undefined : readSince(since, nowMs)
  if (since !== undefined && sinceMs === undefined)
    return refuse(`since must be a time span (${SPAN_HINT.replace('seconds, or ', '')}), ${TIME_HINT}`)
  const severity = text('severity')
  if (severity !== undefined && !isSeverity(severity))
    return refuse(`severity must be one of ${SEVERITIES.join(', ')}`)
  const states = text('state')?.split(',').map(stateOf)
  if (states?.includes(undefined) === true)
    return refuse(`state must be one of ${ALERT_STATES.join(', ')}, or some with commas between them`)
  const limit = numberOf(text('limit') ?? String(DEFAULT_LIMIT))
  if (limit === undefined || limit > MAX_ALERTS_LISTED)
    return refuse(`limit must be a whole number from 1 to ${MAX_ALERTS_LISTED}`)
  const rule = text('rule')
  const key = text('key')
  return {
    ok: true,
    value: {
      limit,
      ...(sinceMs === undefined ? {} : { sinceMs }),
      ...(severity === undefined ? {} : { leastSeverity: severity }),
      ...(states === undefined ? {} : { states: states.filter((state) => state !== undefined) }),
      ...(rule === undefined ? {} : { rule }),
      ...(key === undefined ? {} : { key }),
    },
  }
}

function readSince(text: string, nowMs: number): number | undefined {
  const spanMs = parseTimeSpan(text)
  if (spanMs !== undefined) return nowMs - spanMs
  return /^\d{1,11}(?:\.\d{1,6})?$/.test(text) ? Number(text) * 1000 : parseDate(text)
}

function readAction(body: Uint8Array, atMs: number): Read<AlertAction> {
  const parsed = parseJsonBody(body)
  if (!parsed.ok) return parsed
  if (!isObject(parsed.value)) return refuse('The body must be a JSON object')
  const { action, id, author, comment } = parsed.value
  const kind = typeof action === 'string' && isAction(action) ? ACTIONS[action] : undefined
  if (kind === undefined) return refuse(`The field action must be one of ${Object.keys(ACTIONS).join(', ')}`)
  if (typeof id !== 'number' || !Number.isInteger(id) || id < 1)
    return refuse('The field id must be the number of an alert')
  const who = readText(author, 'author', ALERT_LIMITS.authorBytes)
  if (!who.ok) return who
  const mayBeMissing = kind !== 'comment' && (comment === undefined || comment === '')
  const said = mayBeMissing
    ? { ok: true as const, value: '' }
    : readText(comment, 'comment', ALERT_LIMITS.commentBytes)
  return said.ok ? { ok: true, value: { kind, id, author: who.value, comment: said.value, atMs } } : said
}

function readText(value: unknown, name: string, maxBytes: number): Read<string> {
  if (typeof value !== 'string' || value === '') return refuse(`The field ${name} must be a text`)
  return Buffer.byteLength(value) > maxBytes
    ? refuse(`The field ${name} is longer than ${maxBytes} bytes`)
    : { ok: true, value }
}

function refuse(reason: string): { readonly ok: false; readonly reason: string } {
  return { ok: false, reason }
}

function isAction(text: string): text is keyof typeof ACTIONS {
  return Object.hasOwn(ACTIONS, text)
}

function stateOf(text: string): AlertState | undefined {
  return ALERT_STATES.find((state) => state === text)
}

/** A whole number from 1 on. */
function numberOf(text: string): number | undefined {
  return /^[1-9]\d{0,14}$/.test(text) ? Number(text) : undefined
}
