/**
 * A mail server on a real socket, with STARTTLS and a login if wanted, that remembers every mail and misbehaves as told.
 */
import type { TestContext } from 'node:test'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import { atEnd } from './clean-up.ts'
import { privateCa } from './private-ca.ts'

export interface ReceivedMail {
  readonly from: string
  readonly to: readonly string[]
  readonly raw: string
  readonly isEncrypted: boolean
  readonly user: string | undefined
}

export interface SmtpReceiver {
  readonly port: number
  readonly mails: readonly ReceivedMail[]
}

interface SmtpSetup {
  /** Given: a login with it is needed. */
  readonly login?: { readonly user: string; readonly password: string }
  readonly options?: SMTPServerOptions
  /** 0 for a free one. */
  readonly port?: number
  /** An error that is answered to RCPT TO. */
  readonly refuse?: (
    address: string,
    attempt: number,
  ) => { readonly code: number; readonly text: string } | undefined
}

export async function startSmtp(t: TestContext, setup: SmtpSetup = {}): Promise<SmtpReceiver> {
  const mails: ReceivedMail[] = []
  let attempts = 0
  const { login } = setup
  const server = new SMTPServer({
    ...privateCa.server,
    authOptional: login === undefined,
    disableReverseLookup: true,
    onAuth(auth, _session, callback) {
      if (auth.username === login?.user && auth.password === login?.password)
        callback(null, { user: auth.username ?? '' })
      else callback(Object.assign(new Error('5.7.8 no such login'), { responseCode: 535 }))
    },
    onRcptTo({ address }, _session, callback) {
      const refusal = setup.refuse?.(address, ++attempts)
      if (refusal === undefined) callback()
      else callback(Object.assign(new Error(refusal.text), { responseCode: refusal.code }))
    },
    onData(stream, session, callback) {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope
        mails.push({
          from: mailFrom === false ? '' : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
          raw: Buffer.concat(chunks).toString(),
          isEncrypted: session.secure,
          user: typeof session.user === 'string' ? session.user : undefined,
        })
        callback(null, `2.0.0 queued as mail ${mails.length}`)
      })
    },
    ...setup.options,
  })
  // Clients of these tests break connections on purpose.
  server.on('error', () => undefined)
  await new Promise<void>((resolve) => server.listen(setup.port ?? 0, '127.0.0.1', resolve))
  atEnd(t, () => new Promise<void>((resolve) => server.close(resolve)))
  const address = server.server.address()
  return { port: typeof address === 'object' && address !== null ? address.port : 0, mails }
}

/** Headers by lower-case name, unfolded, and the body as it came. */
export function parseMail(raw: string): {
  readonly headers: ReadonlyMap<string, string>
  readonly body: string
} {
  const end = raw.indexOf('\r\n\r\n')
  const lines = raw
    .slice(0, end)
    .replaceAll(/\r\n[ \t]+/g, ' ')
    .split('\r\n')
  const headers = new Map(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 2)]),
  )
  return { headers, body: raw.slice(end + 4) }
}

/** The text parts of a multipart mail, by type, decoded. */
export function mailParts(raw: string): ReadonlyMap<string, string> {
  const { headers, body } = parseMail(raw)
  const boundary = /boundary="([^"]+)"/.exec(headers.get('content-type') ?? '')?.[1] ?? ''
  const parts = body.split(`--${boundary}`).slice(1, -1)
  return new Map(
    parts.map((part) => {
      const one = parseMail(part.trimStart())
      const type = one.headers.get('content-type')?.split(';')[0] ?? ''
      return [type, decode(one.body, one.headers.get('content-transfer-encoding') ?? '')]
    }),
  )
}

function decode(body: string, encoding: string): string {
  if (encoding === 'base64') return Buffer.from(body, 'base64').toString()
  if (encoding !== 'quoted-printable') return body
  const bytes = body
    .replaceAll(/=\r?\n/g, '')
    .replaceAll(/=([\dA-F]{2})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
  return Buffer.from(bytes, 'latin1').toString()
}
