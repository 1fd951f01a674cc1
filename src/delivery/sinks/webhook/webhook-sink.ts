/**
 * Alert sinks of the type webhook: their keys. Pure.
 */
import { parseWebHookDefinition, type WebHookDefinition } from '../../web-hook.ts'
import { templateProblem } from '../alert-macros.ts'
import type { Parsed, SinkKeys } from '../sink-keys.ts'
import type { SinkBasics } from '../sink-port.ts'

export interface WebHookSink extends SinkBasics {
  readonly type: 'webhook'
  readonly hook: WebHookDefinition
  /** The body instead of the notification's JSON, once for every notification. */
  readonly template: string | undefined
  /** A Lua function makes the body. */
  readonly hasFunction: boolean
}

const MAX_TEMPLATE = 64 * 1024
/** Those of a custom webhook that mean the same here. */
const HOOK_KEYS = ['url', 'secret', 'basic-auth', 'api-key', 'content-type'] as const

export function parseWebHookSink(name: string, keys: SinkKeys): Parsed<WebHookSink> {
  const hookKeys = new Map<string, string>()
  for (const key of HOOK_KEYS) {
    const value = key === 'url' ? keys.needed(key) : keys.text(key)
    if (value !== undefined) hookKeys.set(key, value)
  }
  hookKeys.set('kafka', String(keys.flag('kafka', false)))
  const template = keys.longText('template', MAX_TEMPLATE)
  const problem = template === undefined ? undefined : templateProblem(template)
  if (problem !== undefined) keys.problem(`template ${problem}`)
  const hasFunction = keys.isFunction('body')
  if (keys.has('body') && !hasFunction) keys.problem('body must be a function; a text is a template')
  if (hasFunction && template !== undefined) keys.problem('body and template do not go together')
  const timeoutMs = 1000 * keys.number('timeout', { preset: 10, min: 1, max: 300, unit: 'seconds' })
  const parsed = parseWebHookDefinition(name, hookKeys)
  if (!parsed.ok) {
    keys.problem(parsed.reason.replace(/^webhook "(?:[^"\\]|\\.)*": /, ''))
    return keys.refusal(name) ?? parsed
  }
  const { definition } = parsed
  return keys.done(name, {
    type: 'webhook',
    name,
    place: definition.url,
    timeoutMs,
    hook: definition,
    template,
    hasFunction,
  })
}
