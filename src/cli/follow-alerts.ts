/**
 * `trackalert alerts --follow`: asks again and again, and prints what is new or was raised again, the oldest first. A server
 * that is away, such as for an upgrade, is asked until it is back, and nothing that it raised meanwhile is left out. Main
 * thread of the client.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Fetched } from './alerts.ts'
import { EXIT, type ExitStatus } from './exit-status.ts'
import type { ShownAlert } from './shown-alert.ts'

const EVERY_MS = 1_000
/** An alert is stored when the run that raised it has ended, which may be a while after the time that it bears. */
const OVERLAP_MS = 60_000

interface FollowDeps {
  /** @param since - as the server takes it: a time span or a date */
  readonly fetch: (since: string) => Promise<Fetched>
  readonly print: (alerts: readonly ShownAlert[], isFirst: boolean) => void
  readonly writeError: (text: string) => void
  readonly isRead: () => boolean
  /** Unix milliseconds. */
  readonly now: () => number
}

/** @returns when nobody reads any more, or when the first question fails. */
export async function followAlerts(since: string, deps: FollowDeps): Promise<ExitStatus> {
  const first = await deps.fetch(since)
  if (first.kind !== 'alerts') {
    deps.writeError(`${first.reason}\n`)
    return first.kind === 'refused' ? EXIT.failed : EXIT.unreachable
  }
  let knownAtMs = deps.now()
  let seen = marks(first.alerts)
  deps.print(first.alerts.toReversed(), true)
  let problem = ''
  while (deps.isRead()) {
    await sleep(EVERY_MS)
    const beganAtMs = deps.now()
    // A span, so that it is the server's clock that counts. A clock that was set back makes none negative.
    const spanMs = Math.max(0, beganAtMs - knownAtMs) + OVERLAP_MS
    const next = await deps.fetch(`${Math.ceil(spanMs / 1000)}s`)
    if (next.kind !== 'alerts') {
      if (next.reason !== problem) deps.writeError(`${next.reason}; it is asked again\n`)
      problem = next.reason
      continue
    }
    problem = ''
    const before = seen
    const news = next.alerts.filter((alert) => before.get(alert.id) !== markOf(alert))
    // What is older than the overlap is not listed again, so it need not be known.
    seen = marks(next.alerts)
    knownAtMs = beganAtMs
    if (news.length > 0) deps.print(news.toReversed(), false)
  }
  return EXIT.ok
}

function marks(alerts: readonly ShownAlert[]): ReadonlyMap<number, string> {
  return new Map(alerts.map((alert) => [alert.id, markOf(alert)]))
}

function markOf({ count, state, severity }: ShownAlert): string {
  return `${count} ${state} ${severity}`
}
