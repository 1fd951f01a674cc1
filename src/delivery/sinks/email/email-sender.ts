/**
 * Sends notifications by mail: to fixed addresses, several in one mail where a digest is wanted, or to the user whom each
 * alert is about, with a pause between two mails to the same. Main thread.
 */
import { createHash } from 'node:crypto'
import { messageOf } from '../../../errors.ts'
import type { TlsClientOptions } from '../../../outgoing/tls-client-options.ts'
import type { AlertNotification, NotifiedAlert } from '../../alert-notification.ts'
import type { Attempt } from '../../sender.ts'
import { answerText, delivered } from '../attempts.ts'
import { expandTemplate } from '../alert-macros.ts'
import type { Sink, SinkFunction, SinkMessage, SinkMessages } from '../sink-port.ts'
import type { EmailRecipients, EmailSink } from './email-sink.ts'
import { isAddress, type Mailbox } from './mailbox.ts'
import { mailText } from './mail-text.ts'
import { MailThrottle, type MailTimes } from './mail-throttle.ts'
import { sendMail } from './smtp-session.ts'

interface EmailDeps {
  readonly tls: TlsClientOptions
  readonly hostname: string
  /** Unix milliseconds. */
  readonly now: () => number
  readonly mailTimes: MailTimes
}

/** Notifications of one digest; each has at most 100 alerts. */
const MAX_DIGEST = 100

/** Gets login, report and alert, for each alert. */
const ADDRESS_FUNCTION: SinkFunction = {
  callsFor: ({ notification }) =>
    tellsUsers(notification)
      ? notification.alerts.map((alert) => JSON.stringify([alert.user, alert.report ?? null, alert]))
      : [],
  isNeeded: true,
}

export function createEmailSink(sink: EmailSink, deps: EmailDeps): Sink {
  const closing = new AbortController()
  const { recipients } = sink
  const intervalMs = recipients.kind === 'user' ? recipients.throttleMs : 0
  const throttle = new MailThrottle({ sink: sink.name, intervalMs, times: deps.mailTimes })
  const send = (to: readonly Mailbox[], messages: SinkMessages, idSuffix: string): Promise<Attempt> =>
    sendMail(
      {
        ...mailText(sink, messages),
        from: sink.from,
        to,
        messageId: `${messages[0].deliveryId}${idSuffix}@${sink.from.address.split('@')[1] ?? deps.hostname}`,
        atMs: deps.now(),
      },
      { sink, tls: deps.tls, hostname: deps.hostname, signal: closing.signal },
    )
  return {
    concurrency: 2,
    ...(recipients.kind === 'user' && recipients.address === undefined
      ? { luaFunction: ADDRESS_FUNCTION }
      : {}),
    ...(sink.digestMs === 0 ? {} : { batching: { maxMessages: MAX_DIGEST, intervalMs: sink.digestMs } }),
    notify(messages) {
      if (recipients.kind === 'fixed') return send(recipients.to, messages, '')
      return sendToUsers(messages[0], { sink, recipients, throttle, deps, send })
    },
    close() {
      closing.abort()
      return Promise.resolve()
    },
  }
}

interface UserMail {
  readonly sink: EmailSink
  readonly recipients: Extract<EmailRecipients, { readonly kind: 'user' }>
  readonly throttle: MailThrottle
  readonly deps: EmailDeps
  readonly send: (to: readonly Mailbox[], messages: SinkMessages, idSuffix: string) => Promise<Attempt>
}

/**
 * One mail for each user. Who has got one is remembered by the throttle, so a try that is repeated because of one of them
 * does not reach the others again.
 */
async function sendToUsers(
  message: SinkMessage,
  { sink, recipients, throttle, deps, send }: UserMail,
): Promise<Attempt> {
  const { notification } = message
  if (notification.kind === 'test') return send([sink.from], [message], '')
  if (!tellsUsers(notification)) return delivered('users are not told of the end of an alert')
  const { users, withoutAddress } = usersOf(recipients.address, message)
  const answers = withoutAddress === 0 ? [] : [`${withoutAddress} without an address`]
  let worst: Attempt | undefined
  for (const [address, alerts] of users) {
    const attempt = await throttle.inTurn(address, () =>
      sendToUser(onlyAlerts(message, alerts), address, { throttle, deps, send }),
    )
    answers.push(`${address}: ${attempt.answer}`)
    if (attempt.verdict.kind !== 'retry') continue
    // The server itself is in trouble: the other users' mails would fail as well, each after its whole time limit.
    worst = attempt
    break
  }
  const answer = answers.join('; ')
  return worst === undefined ? delivered(answer) : { ...worst, answer: answerText(answer) }
}

/** Also one that was refused for good counts as sent: trying again would not help, and other users wait. */
async function sendToUser(
  message: SinkMessage,
  address: string,
  { throttle, deps, send }: Pick<UserMail, 'throttle' | 'deps' | 'send'>,
): Promise<Attempt> {
  const { deliveryId, notification } = message
  if (!(await throttle.admits(address, deliveryId, deps.now()))) return delivered('had a mail lately')
  const attempt = await send([{ name: '', address }], [message], `.${addressHash(address)}`)
  if (attempt.verdict.kind === 'retry') return attempt
  const logins = [
    ...new Set(notification.alerts.flatMap(({ user, report }) => [user, report?.login ?? user])),
  ]
  try {
    await throttle.sent({ address, logins, deliveryId, atMs: deps.now() })
    return attempt
  } catch (error) {
    // The mail is out: another try would send it again.
    return {
      ...attempt,
      answer: `${attempt.answer}; when it was sent could not be stored: ${messageOf(error)}`,
    }
  }
}

type Alerts = readonly [NotifiedAlert, ...NotifiedAlert[]]

/** Not of tests, nor of the end of an alert. */
function tellsUsers({ kind, reason }: AlertNotification): boolean {
  return kind === 'alert' && reason !== 'resolved'
}

function usersOf(template: string | undefined, { notification, made }: SinkMessage) {
  const users = new Map<string, Alerts>()
  let withoutAddress = 0
  for (const [index, alert] of notification.alerts.entries()) {
    const address =
      template === undefined
        ? (made?.[index] ?? '')
        : expandTemplate(template, notification, alert, (value) => value)
    if (isAddress(address)) users.set(address, [...(users.get(address) ?? []), alert] as const)
    else withoutAddress++
  }
  return { users, withoutAddress }
}

/** What one user may know: the own alerts, and not how many others there are. */
function onlyAlerts(message: SinkMessage, alerts: Alerts): SinkMessage {
  const notification = { ...message.notification, alerts, total: alerts.length, group: '' }
  return { ...message, notification, alert: alerts[0] }
}

function addressHash(address: string): string {
  return createHash('sha256').update(address).digest('hex').slice(0, 12)
}
