/**
 * The server's events in the wiring: alerts in the store, handlers in the policy. Main thread.
 */
import { handlerRunName, handlersFor, viewEvent } from '../events/event-handlers.ts'
import { eventAlert, isAlertEvent, type ServerEvent } from '../events/server-event.ts'
import type { ServerEvents } from '../events/server-events.ts'
import type { Store } from '../store/store.ts'
import type { Log } from '../telemetry/log.ts'
import type { InForce } from './in-force.ts'
import type { Alerts } from './start-alerts.ts'
import type { Policy } from './start-policy.ts'
import type { StopSequence } from './stop-sequence.ts'

interface EventParts {
  readonly events: ServerEvents
  readonly inForce: InForce
  readonly store: Pick<Store, 'commit'>
  readonly alerts: Pick<Alerts, 'committed'>
  readonly policy: Pick<Policy, 'runs' | 'committer'>
  readonly log: Log
  readonly stopping: StopSequence
}

/** Handlers that wait or run; with more, an event is handled by nobody, and its alert is all that tells of it. */
const MAX_HANDLERS = 100
const NO_DELTAS = new Uint8Array(0)

/** Stores what has happened so far, and from then on what does. The stop is the first thing that a stop does. */
export function startEvents(parts: EventParts): void {
  const { events, inForce, store, alerts, stopping } = parts
  events.start({
    async store(happened) {
      const rules = inForce.settings.alertRoutes.map(({ rule }) => rule)
      const effects = happened.filter(({ name }) => isAlertEvent(name, rules)).map(eventAlert)
      if (effects.length === 0) return
      const done = { kind: 'done', reportId: undefined, deltas: NO_DELTAS, messages: [] } as const
      await store.commit([{ ...done, alerts: effects, commit: undefined }])
      alerts.committed(effects)
    },
    handle: createEventHandling(parts),
  })
  events.emit('start', '', '')
  stopping.add('event of the stop', () => {
    events.emit('stop', '', '')
    return events.settle()
  })
}

function createEventHandling({ inForce, policy, log }: EventParts): (event: ServerEvent) => void {
  const { runs, committer } = policy
  let underWay = 0
  async function run(handler: string, event: ServerEvent): Promise<void> {
    underWay++
    const outcome = await runs.runEvent(handler, viewEvent(event))
    await committer.commit({ name: handlerRunName(handler), reportId: undefined }, outcome)
    underWay--
  }
  return (event) => {
    for (const handler of handlersFor(event, inForce.settings.eventHandlers)) {
      if (underWay < MAX_HANDLERS) void run(handler, event)
      else log.warn('an event of the server is not handled: too many handlers wait', { event: event.name })
    }
  }
}
