/**
 * What happens to the server itself that an operator may want to be told of: the catalogue of events, and what an alert of
 * one looks like. Pure; used on every thread.
 */
import {
  ALERT_LIMITS,
  DEFAULT_DEDUP_MS,
  DEFAULT_RESOLVE_AFTER_MS,
  type RaiseEffect,
} from '../alerts/alert.ts'
import type { Severity } from '../alerts/severity.ts'

interface EventKind {
  readonly severity: Severity
  /** The sentence that the alert begins with; what is known of the case follows after a colon. */
  readonly text: string
}

export const SERVER_EVENTS = {
  start: { severity: 'info', text: 'the server has started' },
  stop: { severity: 'info', text: 'the server is stopping' },
  reload: { severity: 'info', text: 'the configuration was loaded again' },
  'reload-failed': { severity: 'high', text: 'the configuration could not be loaded again' },
  'bad-password': { severity: 'low', text: 'an HTTP request had a wrong password' },
  'acl-refused': { severity: 'low', text: 'an HTTP client is not in the ACL' },
  'control-login': { severity: 'info', text: 'somebody is on the control socket' },
  'control-refused': { severity: 'medium', text: 'the control socket refused a client' },
  'lua-error': { severity: 'medium', text: 'a Lua function failed' },
  'queue-overflow': { severity: 'high', text: 'a queue is full and takes nothing more' },
  'dead-letter': { severity: 'high', text: 'a message could not be delivered and is given up' },
  'disk-full': { severity: 'critical', text: 'reports cannot be stored' },
  'store-damaged': { severity: 'critical', text: 'the store was damaged' },
  'geoip-reload': { severity: 'info', text: 'a GeoIP database was loaded again' },
  'geoip-failed': { severity: 'medium', text: 'a GeoIP file cannot be used' },
  'worker-lost': { severity: 'high', text: 'a policy worker was lost and replaced' },
} as const satisfies Readonly<Record<string, EventKind>>

export type ServerEventName = keyof typeof SERVER_EVENTS

export function isServerEventName(text: string): text is ServerEventName {
  return Object.hasOwn(SERVER_EVENTS, text)
}

/** Something that has happened, or happened several times in a short while. */
export interface ServerEvent {
  readonly name: ServerEventName
  /** What it is about: an address, a function, a webhook; empty when it is about the whole server. */
  readonly about: string
  /** What is known of the latest case; no secrets. */
  readonly detail: string
  readonly count: number
  /** Unix milliseconds. */
  readonly firstAtMs: number
  readonly lastAtMs: number
}

const RULE_PREFIX = 'server.'
const MAX_DETAIL = 1000

/** Rule of the alerts of an event. */
export function ruleOfEvent(name: ServerEventName): string {
  return `${RULE_PREFIX}${name}`
}

/**
 * Whether an event becomes an alert. What is no trouble does so only where a route asks for it by a rule that begins with
 * `server`: a server without routes would otherwise tell every sink of every start.
 */
export function isAlertEvent(name: ServerEventName, routedRules: readonly (string | undefined)[]): boolean {
  if (SERVER_EVENTS[name].severity !== 'info') return true
  return routedRules.some((rule) => rule?.startsWith('server') === true)
}

export function eventText({ name, detail }: Pick<ServerEvent, 'name' | 'detail'>): string {
  const { text } = SERVER_EVENTS[name]
  return detail === '' ? text : `${text}: ${detail.slice(0, MAX_DETAIL)}`
}

/** The alert that an event raises. */
export function eventAlert(event: ServerEvent): RaiseEffect {
  return {
    kind: 'raise',
    rule: ruleOfEvent(event.name),
    key: cutToBytes(event.about, ALERT_LIMITS.keyBytes),
    severity: SERVER_EVENTS[event.name].severity,
    message: cutToBytes(eventText(event), ALERT_LIMITS.messageBytes),
    user: '',
    atMs: event.lastAtMs,
    times: event.count,
    dedupMs: DEFAULT_DEDUP_MS,
    resolveAfterMs: DEFAULT_RESOLVE_AFTER_MS,
  }
}

function cutToBytes(text: string, maxBytes: number): string {
  if (Buffer.byteLength(text) <= maxBytes) return text
  // A character that is cut in two becomes a replacement character, which is longer than a byte of it.
  return Buffer.from(text)
    .subarray(0, maxBytes - 3)
    .toString()
}
