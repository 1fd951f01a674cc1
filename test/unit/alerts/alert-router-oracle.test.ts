/** The router against a naive simulation of the same rules. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { AlertState } from '../../../src/alerts/alert.ts'
import { ROUTE_DEFAULTS } from '../../../src/alerts/alert-route.ts'
import { SEVERITIES, severityRank, type Severity } from '../../../src/alerts/severity.ts'
import type { Silence } from '../../../src/alerts/silence.ts'
import { run, silence, type Step, text } from '../../support/alert-routing.ts'

/** One group, whole seconds, everything computed anew every second. */
function simulate(steps: readonly Step[], muted: Silence, untilSeconds: number): string[] {
  const { groupWaitMs, groupIntervalMs, repeatIntervalMs } = ROUTE_DEFAULTS
  const alerts = new Map<number, { state: AlertState; severity: Severity; since: number | undefined }>()
  const toldOf = new Map<number, Severity>()
  const told: string[] = []
  let sent: number | undefined
  for (let now = 0; now <= untilSeconds * 1000; now += 1000) {
    for (const step of steps) {
      if (step.at * 1000 !== now || step.alert === undefined) continue
      const [id, state, severity = 'medium'] = step.alert
      const before = toldOf.get(id)
      const hasNews =
        state === 'open'
          ? before === undefined || severityRank(severity) > severityRank(before)
          : state === 'resolved' && before !== undefined
      alerts.set(id, { state, severity, since: hasNews ? (alerts.get(id)?.since ?? now) : undefined })
    }
    for (const [id, { state, since }] of alerts)
      if (state === 'resolved' && since === undefined) alerts.delete(id)
    if (alerts.size === 0) sent = undefined
    const isMuted = now >= muted.fromMs && now < muted.untilMs
    const rank = severityRank(muted.mostSeverity ?? 'critical')
    const visible = [...alerts].filter(([, alert]) => !isMuted || severityRank(alert.severity) > rank)
    const news = visible.filter(([, { since }]) => since !== undefined)
    const repeatable = visible.filter(([id, { state }]) => state === 'open' && toldOf.has(id))
    const oldest = Math.min(...news.map(([, { since = 0 }]) => since))
    let subjects = news
    if (
      news.length > 0
        ? now < oldest + groupWaitMs || (sent !== undefined && now < sent + groupIntervalMs)
        : true
    ) {
      if (news.length > 0 || repeatable.length === 0 || sent === undefined || now < sent + repeatIntervalMs)
        continue
      subjects = repeatable
    }
    const ends = new Set(news.filter(([, { state }]) => state === 'resolved').map(([id]) => id))
    const isOpenLeft = [...alerts].some(([, { state }]) => state !== 'resolved')
    const reason =
      news.length === 0 ? 'repeat' : sent === undefined ? 'new' : isOpenLeft ? 'changed' : 'resolved'
    told.push(
      text({
        groupKey: '',
        label: 'rule=r',
        sinks: ['all'],
        reason,
        sentAtMs: now,
        alertIds: subjects
          .toSorted(([a, x], [b, y]) => severityRank(y.severity) - severityRank(x.severity) || b - a)
          .map(([id]) => id),
        stored: undefined,
      }),
    )
    sent = now
    for (const [id, alert] of news) {
      alert.since = undefined
      if (ends.has(id)) {
        alerts.delete(id)
        toldOf.delete(id)
      } else toldOf.set(id, alert.severity)
    }
    if (alerts.size === 0) sent = undefined
  }
  return told
}

test('it tells what a naive simulation, second by second, would tell', () => {
  const event = fc.record({
    gap: fc.integer({ min: 0, max: 700 }),
    id: fc.integer({ min: 1, max: 4 }),
    what: fc.constantFrom('raise', 'raise', 'raise', 'acknowledge', 'resolve'),
    severity: fc.constantFrom(...SEVERITIES),
  })
  const mute = fc.record({
    from: fc.integer({ min: 0, max: 4000 }),
    length: fc.integer({ min: 1, max: 3000 }),
    mostSeverity: fc.constantFrom(...SEVERITIES),
  })
  fc.assert(
    fc.property(fc.array(event, { maxLength: 25 }), mute, (events, { from, length, mostSeverity }) => {
      const steps = stepsOf(events)
      const muted = silence(from, from + length, { mostSeverity })
      const until = 22_000
      assert.deepEqual(run({ silences: [muted] }, steps, until), simulate(steps, muted, until))
    }),
    { numRuns: 100 },
  )
})

/** A life that the store would allow: severities only grow, and what is resolved comes back under another number. */
function stepsOf(
  events: readonly { gap: number; id: number; what: string; severity: Severity }[],
): readonly Step[] {
  const lives = new Map<number, { id: number; state: AlertState; severity: Severity }>()
  let nextId = 1
  let at = 0
  return events.flatMap(({ gap, id: place, what, severity }): readonly Step[] => {
    at += gap
    const before = lives.get(place)
    if (before === undefined && what !== 'raise') return []
    const isWorse = before !== undefined && severityRank(severity) > severityRank(before.severity)
    const life = {
      id: before?.id ?? nextId++,
      severity: before === undefined || (what === 'raise' && isWorse) ? severity : before.severity,
      state: nextState(before?.state, what, isWorse),
    }
    if (life.state === 'resolved') lives.delete(place)
    else lives.set(place, life)
    return [{ at, alert: [life.id, life.state, life.severity] }]
  })
}

function nextState(before: AlertState | undefined, what: string, isWorse: boolean): AlertState {
  if (what === 'resolve') return 'resolved'
  if (what === 'acknowledge') return 'acknowledged'
  return before === 'acknowledged' && !isWorse ? 'acknowledged' : 'open'
}
