/** The router of alerts on a clock that moves from event to event, and what it would have told, as text. */
import assert from 'node:assert/strict'
import type { Alert, AlertState } from '../../src/alerts/alert.ts'
import type { PlannedNotification, StoredGroup } from '../../src/alerts/alert-group.ts'
import { AlertRouter } from '../../src/alerts/alert-router.ts'
import { type AlertRoute, createRouting, ROUTE_DEFAULTS } from '../../src/alerts/alert-route.ts'
import type { Severity } from '../../src/alerts/severity.ts'
import { type MaintenanceWindow, Mutes, type Silence } from '../../src/alerts/silence.ts'
import { parseCron } from '../../src/schedule/cron.ts'

export interface Step {
  /** Seconds. */
  readonly at: number
  readonly alert?: readonly [id: number, state: AlertState, severity?: Severity, rule?: string, key?: string]
  readonly silences?: readonly Silence[]
  readonly drop?: number
}

export interface Setup {
  readonly routes?: readonly Partial<AlertRoute>[]
  readonly sinks?: readonly string[]
  readonly silences?: readonly Silence[]
  readonly windows?: readonly MaintenanceWindow[]
  readonly stored?: readonly StoredGroup[]
}

export function createRouter({
  routes = [],
  sinks = ['all'],
  silences = [],
  windows = [],
  stored = [],
}: Setup) {
  const mutes = new Mutes(silences, windows)
  mutes.advance(0)
  const whole = routes.map((route) => ({ ...ROUTE_DEFAULTS, sinks: ['s'], ...route }))
  return new AlertRouter(createRouting(whole, sinks), mutes, stored)
}

export function alertOf(
  atMs: number,
  [id, state, severity = 'medium', rule = 'r', key = `k${id}`]: NonNullable<Step['alert']>,
): Alert {
  return {
    id,
    rule,
    key,
    severity,
    state,
    message: '',
    user: '',
    count: 1,
    firstAtMs: atMs,
    lastAtMs: atMs,
    changedAtMs: atMs,
    resolveAfterMs: 1,
    comments: [],
    revision: 1,
  }
}

/** Moves the clock from event to event and due time to due time; what was told, as text. */
export function run(setup: Setup, steps: readonly Step[], untilSeconds: number): string[] {
  const router = createRouter(setup)
  const told: string[] = []
  let clockMs = 0
  const advance = (toMs: number): void => {
    for (let rounds = 0; router.nextDueAtMs() <= toMs; rounds++) {
      assert.ok(rounds < 10_000, 'the router never rests')
      clockMs = Math.max(router.nextDueAtMs(), clockMs)
      const due = router.due(clockMs, 100)
      told.push(...due.plans.map(text))
      router.confirm(due)
    }
  }
  for (const { at, alert, silences, drop } of steps) {
    advance(at * 1000 - 1)
    clockMs = at * 1000
    if (alert !== undefined) router.note(alertOf(at * 1000, alert), at * 1000)
    if (silences !== undefined) router.setMutes(new Mutes(silences, setup.windows ?? []), at * 1000)
    if (drop !== undefined) router.drop(drop)
  }
  advance(untilSeconds * 1000)
  return told
}

export function text({ sentAtMs, reason, alertIds, sinks, label }: PlannedNotification): string {
  return `${sentAtMs / 1000} ${reason} ${alertIds.join(',')} → ${sinks.join(',')} (${label})`
}

export function silence(from: number, until: number, pattern: Partial<Silence> = {}): Silence {
  return { id: 's1', author: 'eve', comment: 'c', fromMs: from * 1000, untilMs: until * 1000, ...pattern }
}

export function cron(pattern: string) {
  const parsed = parseCron(pattern)
  assert.ok(parsed.ok)
  return parsed.pattern
}
