/**
 * Templates with macros such as %{rule}: the operator's own words around an alert. Pure.
 */
import type { AlertNotification, JsonValue, NotifiedAlert } from '../alert-notification.ts'

/** What a macro stands for; of a notification with several alerts, the first one's fields. */
const MACROS: ReadonlyMap<string, (notification: AlertNotification, alert: NotifiedAlert) => string> =
  new Map([
    ['id', (_, { id }) => String(id)],
    ['rule', (_, { rule }) => rule],
    ['severity', (_, { severity }) => severity],
    ['key', (_, { key }) => key],
    ['message', (_, { message }) => message],
    ['value', (_, { value }) => (value === undefined ? '' : String(value))],
    ['threshold', (_, { threshold }) => (threshold === undefined ? '' : String(threshold))],
    ['count', (_, { count }) => String(count)],
    ['state', (_, { state }) => state],
    ['user', (_, { user }) => user],
    ['login', (_, { report }) => report?.login ?? ''],
    ['remote', (_, { report }) => report?.remote ?? ''],
    ['first', (_, { firstAtMs }) => isoSeconds(firstAtMs)],
    ['time', (_, { lastAtMs }) => isoSeconds(lastAtMs)],
    ['kind', ({ kind }) => kind],
    ['reason', ({ reason }) => reason],
    ['group', ({ group }) => group],
    ['total', ({ total }) => String(total)],
  ])

/** An unclosed one matches too, as a name that is not known. */
const MACRO = /%\{([^}]*\}?)/g
const DATA = 'data.'

export const MACRO_NAMES: readonly string[] = [...MACROS.keys(), `${DATA}NAME`]

/** What is wrong with a template, as the end of a sentence that begins with its key; undefined if nothing is. */
export function templateProblem(template: string): string | undefined {
  for (const [macro, name = ''] of template.matchAll(MACRO)) {
    const bare = name.slice(0, -1)
    if (!name.endsWith('}') || !(MACROS.has(bare) || (bare.startsWith(DATA) && bare !== DATA)))
      return `has the unknown macro ${macro}; there are ${MACRO_NAMES.map((known) => `%{${known}}`).join(', ')}`
  }
  return undefined
}

/**
 * The template with its macros filled in.
 *
 * @param escape makes each value fit for where the template goes
 */
export function expandTemplate(
  template: string,
  notification: AlertNotification,
  alert: NotifiedAlert,
  escape: (value: string) => string,
): string {
  return template.replace(MACRO, (macro, name: string) => {
    const bare = name.slice(0, -1)
    if (bare.startsWith(DATA)) return escape(dataText(alert.data, bare.slice(DATA.length)))
    const value = MACROS.get(bare)
    return value === undefined ? macro : escape(value(notification, alert))
  })
}

/** A member of an alert's data as text: strings as they are, nothing for none, everything else as JSON. */
function dataText(data: JsonValue | undefined, name: string): string {
  if (typeof data !== 'object' || data === null || !isMember(data, name)) return ''
  const value = data[name]
  if (value === undefined || value === null) return ''
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function isMember(data: object, name: string): data is Readonly<Record<string, JsonValue | undefined>> {
  return Object.hasOwn(data, name)
}

/** `2026-11-21T10:00:00Z` */
function isoSeconds(atMs: number): string {
  return `${new Date(atMs).toISOString().slice(0, 19)}Z`
}
