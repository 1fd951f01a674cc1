/**
 * Alert sinks of the type email: their keys. Pure.
 */
import type { SecretText } from '../../../config/secret-text.ts'
import { templateProblem } from '../alert-macros.ts'
import { placeText, type Parsed, type Place, type SinkKeys } from '../sink-keys.ts'
import type { SinkBasics } from '../sink-port.ts'
import { parseMailbox, type Mailbox } from './mailbox.ts'

const TLS_MODES = ['starttls', 'tls', 'opportunistic', 'none'] as const

/** Who gets the mail. */
export type EmailRecipients =
  | { readonly kind: 'fixed'; readonly to: readonly Mailbox[] }
  /** The user whom the alert is about. */
  | {
      readonly kind: 'user'
      /** With macros: `%{user}@example.com`. Undefined: a Lua function finds it. */
      readonly address: string | undefined
      /** At most one mail to one address within this time. */
      readonly throttleMs: number
    }

export interface EmailSink extends SinkBasics {
  readonly type: 'email'
  readonly server: Place
  readonly tlsMode: (typeof TLS_MODES)[number]
  readonly login: { readonly user: string; readonly password: SecretText } | undefined
  readonly from: Mailbox
  readonly recipients: EmailRecipients
  /** One mail at most within this time; 0 sends one for every notification. */
  readonly digestMs: number
  /** Instead of our own words, with macros. */
  readonly subject: string | undefined
  readonly text: string | undefined
  readonly caFile: string | undefined
}

const MAX_TEXT = 64 * 1024
const DAY_SECONDS = 86_400
/** A password may go there without TLS: it does not leave the machine. */
const THIS_MACHINE = /^(?:127\.\d+\.\d+\.\d+|::1|localhost)$/

export function parseEmailSink(name: string, keys: SinkKeys): Parsed<EmailSink> {
  const user = keys.text('user')
  const password = keys.secret('password')
  if ((user === undefined) !== (password === undefined))
    keys.problem('user and password are only of use together')
  const tlsMode = keys.choice('tls', TLS_MODES, user === undefined ? 'opportunistic' : 'starttls')
  const host = keys.needed('host')
  const port = keys.number('port', { preset: defaultPort(tlsMode, user), min: 1, max: 65_535, unit: 'TCP' })
  if (host.includes(':') && !/^[\da-f:]+$/i.test(host))
    keys.problem('host must be a name or an address; the key port is for the port')
  if (user !== undefined && (tlsMode === 'none' || tlsMode === 'opportunistic') && !THIS_MACHINE.test(host))
    keys.problem('a password needs tls = "starttls" or tls = "tls", unless the server is on this machine')
  const from = mailboxKey(keys, 'from', keys.needed('from'))
  const recipients = readRecipients(keys)
  const digestMs = 1000 * keys.number('digest', { preset: 0, min: 0, max: DAY_SECONDS, unit: 'seconds' })
  if (digestMs > 0 && recipients.kind === 'user') keys.problem('digest is for to; mail to users has throttle')
  const subject = template(keys, 'subject', keys.text('subject'))
  const text = template(keys, 'text', keys.longText('text', MAX_TEXT))
  const timeoutMs = 1000 * keys.number('timeout', { preset: 30, min: 1, max: 300, unit: 'seconds' })
  const caFile = keys.text('ca')
  const server = { host, port }
  const login = user === undefined || password === undefined ? undefined : { user, password }
  return keys.done(name, {
    type: 'email',
    name,
    place: placeText(server),
    timeoutMs,
    server,
    tlsMode,
    login,
    from,
    recipients,
    digestMs,
    subject,
    text,
    caFile,
  })
}

function readRecipients(keys: SinkKeys): EmailRecipients {
  const to = keys.list('to')
  const hasFunction = keys.isFunction('userAddress')
  const address = hasFunction ? undefined : template(keys, 'userAddress', keys.text('userAddress'))
  const isForUsers = hasFunction || address !== undefined
  const hasThrottle = keys.has('throttle')
  const throttleSeconds = keys.number('throttle', {
    preset: DAY_SECONDS,
    min: 0,
    max: 30 * DAY_SECONDS,
    unit: 'seconds',
  })
  if (to === undefined && !isForUsers) keys.problem('one of the keys to and userAddress is needed')
  if (to !== undefined && isForUsers) keys.problem('to and userAddress do not go together; make two sinks')
  if (isForUsers) return { kind: 'user', address, throttleMs: throttleSeconds * 1000 }
  if (hasThrottle) keys.problem('throttle is for userAddress')
  return { kind: 'fixed', to: (to ?? []).map((text) => mailboxKey(keys, 'to', text)) }
}

function template(keys: SinkKeys, key: string, text: string | undefined): string | undefined {
  const problem = text === undefined ? undefined : templateProblem(text)
  if (problem !== undefined) keys.problem(`${key} ${problem}`)
  return text
}

function mailboxKey(keys: SinkKeys, key: string, text: string): Mailbox {
  const mailbox = parseMailbox(text)
  if (mailbox === undefined)
    keys.problem(
      `${key}: ${JSON.stringify(text)} is no address; write ann@example.com or Ann <ann@example.com>`,
    )
  return mailbox ?? { name: '', address: '' }
}

function defaultPort(tlsMode: EmailSink['tlsMode'], user: string | undefined): number {
  if (tlsMode === 'tls') return 465
  return user === undefined ? 25 : 587
}
