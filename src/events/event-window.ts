/**
 * Events of the last moment, counted: of each event and what it is about one, so that a flood is one with a count. Pure.
 */
import type { ServerEvent, ServerEventName } from './server-event.ts'

/** Beyond it events of other keys are counted together under OTHERS: an attacker may have any number of addresses. */
const MAX_KEYS_PER_EVENT = 100
export const OTHERS = 'others'

export class EventWindow {
  readonly #events = new Map<ServerEventName, Map<string, ServerEvent>>()

  get isEmpty(): boolean {
    return this.#events.size === 0
  }

  add(event: ServerEvent): void {
    const known = this.#keysOf(event.name)
    const isNew = !known.has(event.about)
    const about = isNew && known.size >= MAX_KEYS_PER_EVENT ? OTHERS : event.about
    const before = known.get(about)
    known.set(about, before === undefined ? { ...event, about } : together(before, event))
  }

  /** What there is, which is then forgotten here. */
  take(): readonly ServerEvent[] {
    const events = [...this.#events.values()].flatMap((keys) => [...keys.values()])
    this.#events.clear()
    return events
  }

  #keysOf(name: ServerEventName): Map<string, ServerEvent> {
    const known = this.#events.get(name)
    if (known !== undefined) return known
    const made = new Map<string, ServerEvent>()
    this.#events.set(name, made)
    return made
  }
}

function together(one: ServerEvent, other: ServerEvent): ServerEvent {
  const latest = one.lastAtMs > other.lastAtMs ? one : other
  return {
    ...one,
    detail: latest.detail,
    count: one.count + other.count,
    firstAtMs: Math.min(one.firstAtMs, other.firstAtMs),
    lastAtMs: latest.lastAtMs,
  }
}
