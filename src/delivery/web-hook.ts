/**
 * Custom webhooks as the configuration names them: keys and values into a checked definition. Pure; used on the
 * configuration thread to check and on the main thread to deliver.
 */
import { SecretText } from '../config/secret-text.ts'
import { isSafeHeaderValue } from '../outgoing/header-value.ts'
import { redactUrl } from '../outgoing/redact-url.ts'
import { SINK_PREFIX } from './sinks/sink-queue.ts'
import { urlTemplateProblem } from './url-template.ts'

export interface WebHookDefinition {
  /** Number in the order of the configuration: X-Wforce-HookID and the console's first column. */
  readonly id: number
  readonly name: string
  /** With its macros and without credentials: fit for logs, metrics and the console. */
  readonly url: string
  /** Scheme, host and port: hooks of one origin share its connections. */
  readonly origin: string
  readonly contentType: string
  /** `user:password` of the key basic-auth, else of the URL. */
  readonly basicAuth: SecretText | undefined
  readonly apiKey: SecretText | undefined
  /** Key of the signature. */
  readonly secret: SecretText | undefined
  /** Wrap bodies for Kafka's REST proxy. */
  readonly kafka: boolean
}

export type ParsedWebHook =
  | { readonly ok: true; readonly definition: WebHookDefinition }
  | { readonly ok: false; readonly reason: string }

const DEFAULT_CONTENT_TYPE = 'application/json'
/** Kafka REST proxy, version 2, records of JSON. */
const KAFKA_CONTENT_TYPE = 'application/vnd.kafka.json.v2+json'

/** num_conns has no effect in the reference either, but stands in old files. */
const KEYS: ReadonlySet<string> = new Set([
  'url',
  'secret',
  'basic-auth',
  'api-key',
  'content-type',
  'kafka',
  'num_conns',
])
/** Keys that wforce knows for the webhooks of its own events. */
const KEYS_OF_OTHER_HOOKS: ReadonlySet<string> = new Set(['allow_filter', 'events'])

/**
 * Checks the keys of one webhook. The reason of a refusal is a sentence without any secret.
 *
 * @param id - its number; a mere check may leave it out
 */
export function parseWebHookDefinition(
  name: string,
  keys: ReadonlyMap<string, string>,
  id = 0,
): ParsedWebHook {
  const problem = nameProblem(name) ?? keyProblem(keys)
  if (problem !== undefined) return { ok: false, reason: `webhook ${JSON.stringify(name)}: ${problem}` }
  const { url, credentials } = splitCredentials(keys.get('url') ?? '')
  const kafka = keys.get('kafka') === 'true'
  const basicAuth = keys.get('basic-auth') ?? credentials
  return {
    ok: true,
    definition: {
      id,
      name,
      url,
      origin: new URL(url).origin,
      contentType: kafka ? KAFKA_CONTENT_TYPE : (keys.get('content-type') ?? DEFAULT_CONTENT_TYPE),
      basicAuth: secretText(basicAuth),
      apiKey: secretText(keys.get('api-key')),
      secret: secretText(keys.get('secret')),
      kafka,
    },
  }
}

/** Whether two definitions ask for the same requests. Compared by hand: a secret shows itself to no general comparison. */
export function isSameWebHook(one: WebHookDefinition, other: WebHookDefinition): boolean {
  return (
    one.id === other.id &&
    one.name === other.name &&
    one.url === other.url &&
    one.contentType === other.contentType &&
    one.kafka === other.kafka &&
    one.basicAuth?.reveal() === other.basicAuth?.reveal() &&
    one.apiKey?.reveal() === other.apiKey?.reveal() &&
    one.secret?.reveal() === other.secret?.reveal()
  )
}

function nameProblem(name: string): string | undefined {
  if (name.startsWith(SINK_PREFIX))
    return `its name must not begin with ${SINK_PREFIX}, as those of alert sinks do`
  return name !== '' && isSafeHeaderValue(name)
    ? undefined
    : 'its name becomes a header; it must not be empty or contain control characters'
}

function keyProblem(keys: ReadonlyMap<string, string>): string | undefined {
  for (const [key, value] of keys) {
    if (KEYS_OF_OTHER_HOOKS.has(key))
      return `the key ${key} is for wforce's own events; a custom webhook has none`
    if (!KEYS.has(key)) return `it knows no key ${JSON.stringify(key)}; it takes ${[...KEYS].join(', ')}`
    if (value === '') return `the value of ${key} must not be empty; leave the key out`
    if (key !== 'secret' && !isSafeHeaderValue(value))
      return `the value of ${key} contains control characters`
  }
  const basicAuth = keys.get('basic-auth')
  if (basicAuth !== undefined && !basicAuth.includes(':')) return 'basic-auth must be "user:password"'
  const kafka = keys.get('kafka')
  if (kafka !== undefined && kafka !== 'true' && kafka !== 'false') return 'kafka must be "true" or "false"'
  const url = keys.get('url')
  if (url === undefined) return 'the key url is missing'
  const urlProblem = urlTemplateProblem(url)
  return urlProblem === undefined ? undefined : `the url ${redactUrl(url)} ${urlProblem}`
}

/** Macros make the path invalid for a URL object to be edited, so the credentials are cut out of the text. */
function splitCredentials(url: string): { readonly url: string; readonly credentials: string | undefined } {
  const [, scheme = '', userinfo, rest = ''] = /^(https?:\/\/)(?:([^/?#]*)@)?(.*)$/i.exec(url) ?? []
  if (userinfo === undefined) return { url, credentials: undefined }
  const { username, password } = new URL(url)
  return {
    url: scheme + rest,
    credentials: `${decodeURIComponent(username)}:${decodeURIComponent(password)}`,
  }
}

function secretText(text: string | undefined): SecretText | undefined {
  return text === undefined ? undefined : new SecretText(text)
}
