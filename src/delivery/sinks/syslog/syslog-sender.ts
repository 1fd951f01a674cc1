/**
 * Sends alerts to syslog receivers, a message for each alert. Main thread.
 *
 * Syslog has no answers. Over a stream every try has a connection of its own, which is closed in both directions before
 * the alert counts as sent: so a receiver that went away is noticed, which it would not be on an idle connection. Over UDP
 * nothing is known beyond this machine, and the history says so.
 */
import { createSocket } from 'node:dgram'
import { connect, isIP, type LookupFunction, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { TlsClientOptions } from '../../../outgoing/tls-client-options.ts'
import type { Attempt } from '../../sender.ts'
import { delivered, networkAttempt, tryAgain } from '../attempts.ts'
import { resolvePlace } from '../resolve-place.ts'
import type { Place } from '../sink-keys.ts'
import type { Sink, SinkMessage } from '../sink-port.ts'
import { Spread } from '../spread.ts'
import { syslogMessage, type SyslogOrigin } from './syslog-message.ts'
import type { SyslogSink } from './syslog-sink.ts'

interface SyslogDeps {
  readonly tls: TlsClientOptions
  readonly lookup: LookupFunction
  readonly origin: SyslogOrigin
}

/** A receiver that keeps the connection open after our end of it has had this long to complain. */
const MAX_LINGER_MS = 1_000
const LINE_END = Buffer.of(0x0a)

export function createSyslogSink(sink: SyslogSink, deps: SyslogDeps): Sink {
  const spread = new Spread(sink)
  const closing = new AbortController()
  const origin = { ...deps.origin, hostname: sink.hostname ?? deps.origin.hostname }
  return {
    concurrency: 2,
    notify([message]) {
      const messages = messagesOf(sink, origin, message)
      return spread.send(message.deliveryId, async (place) => {
        const signal = AbortSignal.any([closing.signal, AbortSignal.timeout(sink.timeoutMs)])
        try {
          return sink.transport === 'udp'
            ? await sendDatagrams(place, messages, deps.lookup, signal)
            : await sendStream(openStream(sink, place, deps), Buffer.concat(framed(sink, messages)), signal)
        } catch (error) {
          return networkAttempt(error)
        }
      })
    },
    close() {
      closing.abort()
      return Promise.resolve()
    },
  }
}

function messagesOf(
  sink: SyslogSink,
  origin: SyslogOrigin,
  { notification }: SinkMessage,
): readonly Buffer[] {
  return notification.alerts.map((alert) => syslogMessage(sink, origin, notification, alert))
}

/** RFC 6587: the length in front (section 3.4.1), which RFC 5425 wants for TLS; a line end behind for the old format. */
function framed({ format }: SyslogSink, messages: readonly Buffer[]): readonly Buffer[] {
  return messages.flatMap((message) =>
    format === 'rfc5424' ? [Buffer.from(`${message.length} `), message] : [message, LINE_END],
  )
}

async function sendDatagrams(
  place: Place,
  messages: readonly Buffer[],
  lookup: LookupFunction,
  signal: AbortSignal,
): Promise<Attempt> {
  const { address, family } = await resolvePlace(place, lookup, signal)
  const socket = createSocket(family === 6 ? 'udp6' : 'udp4')
  // What goes wrong with a message is told to the callback of its sending.
  socket.on('error', () => undefined)
  try {
    for (const message of messages) {
      await new Promise<void>((resolve, reject) => {
        socket.send(message, place.port, address, (error) => (error === null ? resolve() : reject(error)))
      })
      signal.throwIfAborted()
    }
  } finally {
    socket.close()
  }
  return delivered('sent (UDP: no answer)')
}

function openStream(sink: SyslogSink, { host, port }: Place, { tls, lookup }: SyslogDeps): Socket {
  if (sink.transport !== 'tls') return connect({ host, port, lookup })
  return connectTls({ ...tls, host, port, lookup, ...(isIP(host) === 0 ? { servername: host } : {}) })
}

function sendStream(socket: Socket, bytes: Buffer, signal: AbortSignal): Promise<Attempt> {
  return new Promise((resolve) => {
    let linger: NodeJS.Timeout | undefined
    const settle = (attempt: Attempt): void => {
      clearTimeout(linger)
      signal.removeEventListener('abort', onAbort)
      socket.destroy()
      resolve(attempt)
    }
    const onAbort = (): void => settle(networkAttempt(signal.reason))
    const done = (): void => settle(delivered('sent (syslog has no answer)'))
    signal.addEventListener('abort', onAbort)
    if (signal.aborted) onAbort()
    socket.on('error', (error) => settle(networkAttempt(error)))
    socket.on('end', () => {
      if (!socket.writableFinished) settle(tryAgain('reset', 'the connection was closed too early'))
    })
    socket.on('close', (hadError) => {
      if (!hadError) settle(socket.writableFinished ? delivered('sent (syslog has no answer)') : CLOSED)
    })
    // What a receiver says is of no interest, but unread bytes would turn our close into a reset.
    socket.resume()
    socket.end(bytes, () => {
      linger = setTimeout(done, MAX_LINGER_MS)
    })
  })
}

const CLOSED = tryAgain('reset', 'the connection was closed too early')
