/**
 * The body of a sink's message, as alerts wrote it, back into a notification. Pure. It was written by this server, perhaps
 * by an older version of it, and has been on disk since.
 */
import type { Severity } from '../../alerts/severity.ts'
import type { AlertNotification, NotifiedAlert } from '../alert-notification.ts'

const SEVERITIES: readonly unknown[] = ['info', 'low', 'medium', 'high', 'critical'] satisfies Severity[]
const REASONS: readonly unknown[] = [
  'new',
  'changed',
  'repeat',
  'resolved',
] satisfies AlertNotification['reason'][]
const STATES: readonly unknown[] = ['open', 'acknowledged', 'resolved'] satisfies NotifiedAlert['state'][]

/** Undefined for what is no notification, or one without any alert. */
export function readNotification(body: string): AlertNotification | undefined {
  let value: unknown
  try {
    value = JSON.parse(body)
  } catch {
    // What is no JSON is no notification either; the caller says so.
    return undefined
  }
  return isNotification(value) ? value : undefined
}

type Fields = Readonly<Record<string, unknown>>

function isNotification(value: unknown): value is AlertNotification & { alerts: [NotifiedAlert] } {
  if (!isFields(value)) return false
  return (
    (value['kind'] === 'alert' || value['kind'] === 'test') &&
    REASONS.includes(value['reason']) &&
    typeof value['sentAtMs'] === 'number' &&
    typeof value['group'] === 'string' &&
    typeof value['total'] === 'number' &&
    Array.isArray(value['alerts']) &&
    value['alerts'].length > 0 &&
    value['alerts'].every(isAlert)
  )
}

function isAlert(value: unknown): value is NotifiedAlert {
  if (!isFields(value)) return false
  return (
    ['rule', 'key', 'message', 'user'].every((name) => typeof value[name] === 'string') &&
    ['id', 'count'].every((name) => typeof value[name] === 'number') &&
    ['firstAtMs', 'lastAtMs'].every((name) => isTime(value[name])) &&
    ['value', 'threshold'].every((name) => ['number', 'undefined'].includes(typeof value[name])) &&
    SEVERITIES.includes(value['severity']) &&
    STATES.includes(value['state']) &&
    (value['report'] === undefined || isReport(value['report']))
  )
}

function isReport(value: unknown): boolean {
  return isFields(value) && typeof value['login'] === 'string' && typeof value['remote'] === 'string'
}

/** What a Date can hold. */
function isTime(value: unknown): boolean {
  return typeof value === 'number' && Math.abs(value) <= 8.64e15
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
