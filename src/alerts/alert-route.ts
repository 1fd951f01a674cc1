/**
 * Which sinks are told of an alert, in which groups and how often. Pure; main thread, but for the types.
 */
import type { AlertFacts, AlertMatcher, AlertPattern } from './alert-matcher.ts'
import { createMatcher } from './alert-matcher.ts'

export const GROUP_FIELDS = ['rule', 'key', 'severity'] as const

export type GroupField = (typeof GROUP_FIELDS)[number]

/** One addAlertRoute. */
export interface AlertRoute extends AlertPattern {
  readonly sinks: readonly string[]
  /** Alerts that agree in these are told of together; none: all of the route. */
  readonly groupBy: readonly GroupField[]
  /** From the first alert of a group to its first notification. */
  readonly groupWaitMs: number
  /** Between two notifications of a group of which the later one has something new. */
  readonly groupIntervalMs: number
  /** After this a group that is still open and has nothing new is told of again. */
  readonly repeatIntervalMs: number
  /** The routes after this one are looked at too. */
  readonly continues: boolean
}

export const ROUTE_DEFAULTS = {
  groupBy: ['rule'],
  groupWaitMs: 30_000,
  groupIntervalMs: 300_000,
  repeatIntervalMs: 14_400_000,
  continues: false,
} as const satisfies Partial<AlertRoute>

/** One group of one route. */
export interface GroupOfRoute {
  /** The same as long as the route is about the same alerts: the state of the group is kept under it. */
  readonly key: string
  /** For people: `rule=spray key=192.0.2.0/24`. */
  readonly label: string
  readonly route: AlertRoute
}

/** Finds the groups of an alert. */
export type FindGroups = (facts: AlertFacts) => readonly GroupOfRoute[]

/**
 * The first route that fits takes the alert, and those after it only if it continues. Without any route every alert goes
 * to every sink.
 */
export function createRouting(routes: readonly AlertRoute[], sinks: readonly string[]): FindGroups {
  const inForce: readonly AlertRoute[] =
    routes.length > 0 ? routes : sinks.length > 0 ? [{ ...ROUTE_DEFAULTS, sinks }] : []
  const seen = new Map<string, number>()
  const prepared = inForce.map((route) => {
    const { rule, key, leastSeverity, groupBy } = route
    const identity = JSON.stringify([rule ?? null, key ?? null, leastSeverity ?? null, groupBy])
    const ordinal = seen.get(identity) ?? 0
    seen.set(identity, ordinal + 1)
    return { route, identity: `${ordinal}${identity}`, matches: createMatcher(route) }
  })
  return (facts) => groupsOf(prepared, facts)
}

interface PreparedRoute {
  readonly route: AlertRoute
  readonly identity: string
  readonly matches: AlertMatcher
}

function groupsOf(routes: readonly PreparedRoute[], facts: AlertFacts): readonly GroupOfRoute[] {
  const groups: GroupOfRoute[] = []
  for (const { route, identity, matches } of routes) {
    if (!matches(facts)) continue
    const values = route.groupBy.map((field) => facts[field])
    const label = route.groupBy.map((field, index) => `${field}=${values[index] ?? ''}`).join(' ')
    groups.push({ key: identity + JSON.stringify(values), label: label === '' ? 'all' : label, route })
    if (!route.continues) break
  }
  return groups
}
