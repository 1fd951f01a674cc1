/**
 * http.request: a policy asks another system over HTTP, and other runs go on while it waits.
 */
import type { HttpClient } from '../../lookup/http-client.ts'
import { results, type HostCall, type HostFunction } from '../host-function.ts'
import type { LuaValue } from '../lua-value.ts'

const DEFAULT_TIMEOUT_SECONDS = 2
const MAX_TIMEOUT_SECONDS = 30
const MAX_CACHE_SECONDS = 86_400
const KEYS: ReadonlySet<string> = new Set(['url', 'method', 'headers', 'body', 'timeout', 'cache'])

export interface HttpDeps {
  readonly client: () => HttpClient
}

export function httpFunctions({ client }: HttpDeps): readonly HostFunction[] {
  return [
    {
      name: 'http.request',
      usage: 'http.request{url=, method=, headers=, body=, timeout=, cache=}',
      summary: 'Sends an HTTP request and answers status, body and headers, or nil and an error.',
      scope: 'anywhere',
      isImmediate: true,
      async run(call) {
        const options = call.record(1, 'options')
        for (const key of options.keys()) {
          if (!KEYS.has(key))
            return call.fail(`http.request knows no ${JSON.stringify(key)}; it takes ${[...KEYS].join(', ')}`)
        }
        const body = text(call, options.get('body'), 'body')
        const cacheSeconds = seconds(call, options.get('cache'), 'cache', MAX_CACHE_SECONDS)
        const answer = await client().request({
          url: text(call, options.get('url'), 'url') ?? call.fail('http.request needs a url'),
          method: (text(call, options.get('method'), 'method') ?? 'GET').toUpperCase(),
          headers: headersOf(call, options.get('headers')),
          ...(body === undefined ? {} : { body }),
          timeoutMs:
            1000 *
            (seconds(call, options.get('timeout'), 'timeout', MAX_TIMEOUT_SECONDS) ??
              DEFAULT_TIMEOUT_SECONDS),
          ...(cacheSeconds === undefined ? {} : { cacheSeconds }),
        })
        return answer.ok
          ? results(answer.status, answer.body, answer.headers)
          : results(undefined, answer.error)
      },
    },
  ]
}

function text(call: HostCall, value: LuaValue, name: string): string | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value === 'string') return value
  return call.fail(`http.request: ${name} must be a string`)
}

function seconds(call: HostCall, value: LuaValue, name: string, max: number): number | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value === 'number' && value > 0 && value <= max) return value
  return call.fail(`http.request: ${name} must be a number of seconds, more than 0 and at most ${max}`)
}

function headersOf(call: HostCall, value: LuaValue): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {}
  if (value === undefined || value === null) return headers
  if (!(value instanceof Map)) return call.fail('http.request: headers must be a table from name to value')
  for (const [name, content] of value) {
    if (typeof content !== 'string' && typeof content !== 'number') {
      return call.fail(`http.request: the header ${String(name)} must be a string`)
    }
    headers[String(name)] = String(content)
  }
  return headers
}
