/**
 * Alerts as the server's JSON has them, read with care: the server may be of another version. Pure.
 */
import { isObject } from '../login/attributes.ts'
import { number, objects, optional, parse, text, type Fields } from './json-fields.ts'

export interface ShownAlert {
  readonly id: number
  readonly rule: string
  readonly key: string
  readonly severity: string
  readonly message: string
  readonly value: number | undefined
  readonly threshold: number | undefined
  readonly user: string
  readonly count: number
  readonly state: string
  /** Unix seconds. */
  readonly first: number
  readonly last: number
  /** Of the report that raised it first. */
  readonly firstReport: { readonly login: string; readonly t: number } | undefined
  /** Id of what silences it. */
  readonly silence: string | undefined
  readonly acknowledged: ShownNote | undefined
  readonly resolved: ShownNote | undefined
  readonly comments: readonly ShownNote[]
  /** Newest first. */
  readonly notifications: readonly ShownNotification[]
  /** All of it. */
  readonly json: string
}

export interface ShownNote {
  readonly author: string
  readonly comment: string
  /** Unix seconds. */
  readonly at: number
}

export interface ShownNotification {
  /** Unix seconds. */
  readonly at: number
  readonly group: string
  readonly reason: string
  readonly total: number
  readonly deliveries: readonly ShownDelivery[]
}

interface ShownDelivery {
  readonly sink: string
  readonly state: string
  readonly tries: number
  readonly to: string
  readonly answer: string
  readonly delivery: string
  /** Unix seconds. */
  readonly at: number
}

/** The alerts of an answer, be it a list or one; undefined when it is neither. */
export function readAlerts(body: string): readonly ShownAlert[] | undefined {
  const answer = parse(body)
  if (!isObject(answer)) return undefined
  const { alert, alerts } = answer
  if (isObject(alert)) return [readAlert(alert)]
  return Array.isArray(alerts) ? alerts.filter(isObject).map(readAlert) : undefined
}

/** Why the server refused; the whole answer when it gives no reason. */
export function readReason(body: string): string {
  const answer = parse(body)
  const reason = isObject(answer) ? answer['reason'] : undefined
  return typeof reason === 'string' ? reason : body
}

function readAlert(fields: Fields): ShownAlert {
  return {
    id: number(fields, 'id'),
    rule: text(fields, 'rule'),
    key: text(fields, 'key'),
    severity: text(fields, 'severity'),
    message: text(fields, 'message'),
    value: optional(fields, 'value'),
    threshold: optional(fields, 'threshold'),
    user: text(fields, 'user'),
    count: number(fields, 'count'),
    state: text(fields, 'state'),
    first: number(fields, 'first'),
    last: number(fields, 'last'),
    firstReport: isObject(fields['first_report'])
      ? { login: text(fields['first_report'], 'login'), t: number(fields['first_report'], 't') }
      : undefined,
    silence: fields['silence'] === undefined ? undefined : text(fields, 'silence'),
    acknowledged: note(fields['acknowledged']),
    resolved: note(fields['resolved']),
    comments: objects(fields, 'comments').flatMap((entry) => note(entry) ?? []),
    notifications: objects(fields, 'notifications').map(readNotification),
    json: JSON.stringify(fields),
  }
}

function note(value: unknown): ShownNote | undefined {
  if (!isObject(value)) return undefined
  return { author: text(value, 'author'), comment: text(value, 'comment'), at: number(value, 'at') }
}

function readNotification(fields: Fields): ShownNotification {
  return {
    at: number(fields, 'at'),
    group: text(fields, 'group'),
    reason: text(fields, 'reason'),
    total: number(fields, 'total'),
    deliveries: objects(fields, 'deliveries').map((delivery) => ({
      sink: text(delivery, 'sink'),
      state: text(delivery, 'state'),
      tries: number(delivery, 'tries'),
      to: text(delivery, 'to'),
      answer: text(delivery, 'answer'),
      delivery: text(delivery, 'delivery'),
      at: number(delivery, 'at'),
    })),
  }
}
