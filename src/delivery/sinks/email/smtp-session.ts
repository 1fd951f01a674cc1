/**
 * One mail over one SMTP connection, within a deadline. Main thread. The library is loaded when the first mail is sent.
 */
import type { Buffer } from 'node:buffer'
import type { SecretText } from '../../../config/secret-text.ts'
import { networkFailure } from '../../../outgoing/network-failure.ts'
import type { TlsClientOptions } from '../../../outgoing/tls-client-options.ts'
import type { Attempt } from '../../sender.ts'
import { delivered, refused, tryAgain } from '../attempts.ts'
import type { EmailSink } from './email-sink.ts'
import type { Mailbox } from './mailbox.ts'
import type { MailText } from './mail-text.ts'

export interface Mail extends MailText {
  readonly from: Mailbox
  readonly to: readonly Mailbox[]
  /** Without the angle brackets. */
  readonly messageId: string
  /** Unix milliseconds. */
  readonly atMs: number
}

interface SmtpOptions {
  readonly sink: Pick<EmailSink, 'server' | 'tlsMode' | 'login' | 'timeoutMs'>
  readonly tls: TlsClientOptions
  /** What EHLO says. */
  readonly hostname: string
  readonly signal: AbortSignal
}

/** Never rejects. */
export async function sendMail(mail: Mail, options: SmtpOptions): Promise<Attempt> {
  const stop = AbortSignal.any([options.signal, AbortSignal.timeout(options.sink.timeoutMs)])
  try {
    return await transact(await compose(mail), mail, { ...options, signal: stop })
  } catch (error) {
    return stop.aborted ? timeUp(stop) : failure(error)
  }
}

async function compose({ from, to, messageId, atMs, subject, text, html }: Mail): Promise<Buffer> {
  const { default: MailComposer } = await import('nodemailer/lib/mail-composer')
  const composer = new MailComposer({
    from: { ...from },
    to: to.map((mailbox) => ({ ...mailbox })),
    subject,
    text,
    html,
    messageId: `<${messageId}>`,
    date: new Date(atMs),
    // RFC 3834: no vacation message, no mailing list and no ticket system answers.
    headers: { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' },
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  return await composer.compile().build()
}

async function transact(
  message: Buffer,
  mail: Mail,
  { sink, tls, hostname, signal }: SmtpOptions,
): Promise<Attempt> {
  const { default: SMTPConnection } = await import('nodemailer/lib/smtp-connection')
  const { server, tlsMode, login } = sink
  const connection = new SMTPConnection({
    ...server,
    secure: tlsMode === 'tls',
    requireTLS: tlsMode === 'starttls',
    ignoreTLS: tlsMode === 'none',
    opportunisticTLS: tlsMode === 'opportunistic',
    name: hostname,
    // Whoever would also send in the clear gains nothing by looking at certificates, and mail servers of the own network
    // often have one that nobody has signed.
    tls: tlsMode === 'opportunistic' ? { ...tls, rejectUnauthorized: false } : { ...tls },
    // The deadline of the whole covers them.
    connectionTimeout: sink.timeoutMs,
    greetingTimeout: sink.timeoutMs,
    socketTimeout: sink.timeoutMs,
    dnsTimeout: sink.timeoutMs,
    socketCloseTimeout: 0,
  })
  const broken = Promise.withResolvers<never>()
  // Nobody may be waiting any more when it breaks.
  broken.promise.catch(() => undefined)
  const onAbort = (): void => broken.reject(signal.reason)
  signal.addEventListener('abort', onAbort)
  connection.on('error', broken.reject)
  // The reject of a promise that is settled does nothing.
  connection.on('end', () => broken.reject(new ConnectionEnded()))
  const step = <T>(run: (done: (error?: Error | null, value?: T) => void) => void): Promise<T | undefined> =>
    Promise.race([
      broken.promise,
      new Promise<T | undefined>((resolve, reject) =>
        run((error, value) => (error === null || error === undefined ? resolve(value) : reject(error))),
      ),
    ])
  try {
    signal.throwIfAborted()
    await step((done) => connection.connect(done))
    if (login !== undefined) await step((done) => connection.login(credentials(login), done))
    const envelope = { from: mail.from.address, to: mail.to.map(({ address }) => address) }
    const info = await step<{ readonly response: string; readonly rejected: readonly string[] }>((done) =>
      connection.send(envelope, message, (error, sent) => done(error, sent || undefined)),
    )
    const rejected = info?.rejected ?? []
    const refusedText = rejected.length === 0 ? '' : `; refused for ${rejected.join(', ')}`
    return delivered((info?.response ?? 'accepted') + refusedText)
  } finally {
    signal.removeEventListener('abort', onAbort)
    connection.on('error', () => undefined)
    connection.quit()
    connection.close()
  }
}

function credentials({ user, password }: { readonly user: string; readonly password: SecretText }) {
  return { user, credentials: { user, pass: password.reveal() } }
}

/** The server hung up. */
class ConnectionEnded extends Error {
  readonly code = 'ECONNRESET'
}

/** What is about this mail and no other: a clear no to it stays one. */
const MAIL_COMMANDS: ReadonlySet<string> = new Set(['MAIL FROM', 'RCPT TO', 'DATA'])
/** RFC 4954: it wants a login, or another one. */
const LOGIN_CODES: ReadonlySet<number> = new Set([530, 534, 535, 538])

/** RFC 5321, section 4.2.1: 4yz is a failure for now, 5yz one for good; but a password can be mended, and so can TLS. */
function failure(error: unknown): Attempt {
  const { code, systemCode, command, response, responseCode } = smtpError(error)
  if (code === 'EAUTH' || LOGIN_CODES.has(responseCode))
    return tryAgain('login', response === '' ? 'the server offers no way to log in' : response)
  if (code === 'ETLS' && response !== '')
    return tryAgain('tls', `the server does not do STARTTLS: ${response}`)
  if (responseCode >= 500)
    return MAIL_COMMANDS.has(command) ? refused('refused', response) : tryAgain('server-error', response)
  if (responseCode >= 400) return tryAgain('busy', response)
  const { kind, text } = networkFailure(Object.assign(new Error(), { code: systemCode }))
  if (kind === 'other' && code === 'ETLS') return tryAgain('tls', 'the TLS connection could not be agreed on')
  return tryAgain(kind, text)
}

function timeUp({ reason }: AbortSignal): Attempt {
  const { kind, text } = networkFailure(reason)
  return tryAgain(kind, text)
}

/** What nodemailer's errors have, if they have it. */
function smtpError(error: unknown) {
  const field = (name: string): unknown =>
    typeof error === 'object' && error !== null ? Reflect.get(error, name) : undefined
  const text = (name: string): string => {
    const value = field(name)
    return typeof value === 'string' ? value : ''
  }
  const responseCode = field('responseCode')
  const code = text('code')
  return {
    code,
    // The library writes its own code over the system's, and has none for a connection that was closed.
    systemCode: text('originalCode') || (code === 'ECONNECTION' ? 'ECONNRESET' : code),
    command: text('command'),
    response: text('response'),
    responseCode: typeof responseCode === 'number' ? responseCode : 0,
  }
}
