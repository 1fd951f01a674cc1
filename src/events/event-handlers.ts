/**
 * The policy's handlers of server events: which run for an event, and what they get. Pure; used on every thread.
 */
import { ruleOfEvent, SERVER_EVENTS, eventText, type ServerEvent } from './server-event.ts'

/** setEventHandler's name for all events. */
export const ANY_EVENT = '*'

const RUN_PREFIX = 'event handler '

/** What a handler gets; times are Unix seconds. */
export type EventView = Readonly<Record<string, string | number>>

/** How a handler's runs are called in the log, and the key of its worker. */
export function handlerRunName(name: string): string {
  return `${RUN_PREFIX}${name}`
}

/**
 * Names of the handlers that run for an event. Nothing runs for the failure of a handler: one that always fails would
 * otherwise go on for ever.
 */
export function handlersFor({ name, about }: ServerEvent, set: readonly string[]): readonly string[] {
  if (name === 'lua-error' && about.startsWith(RUN_PREFIX)) return []
  return set.filter((handler) => handler === name || handler === ANY_EVENT)
}

export function viewEvent(event: ServerEvent): EventView {
  const { name, about, count } = event
  return {
    name,
    rule: ruleOfEvent(name),
    severity: SERVER_EVENTS[name].severity,
    about,
    message: eventText(event),
    count,
    first: event.firstAtMs / 1000,
    last: event.lastAtMs / 1000,
  }
}
