/**
 * A sink from its definition, and what makes it a sender for a lane. Main thread.
 */
import type { LookupFunction } from 'node:net'
import { messageOf } from '../../errors.ts'
import { tlsClientOptions, type TlsClientSettings } from '../../outgoing/tls-client-options.ts'
import type { Attempt, OutgoingMessage, Sender } from '../sender.ts'
import type { SinkDefinition } from './alert-sink.ts'
import { refused, tryAgain } from './attempts.ts'
import { createEmailSink } from './email/email-sender.ts'
import { createExecSink } from './exec/exec-sender.ts'
import { readNotification } from './read-notification.ts'
import type { Sink, SinkMessage, SinkMessages } from './sink-port.ts'
import { createSnmpSink } from './snmp/snmp-sender.ts'
import { createSyslogSink } from './syslog/syslog-sender.ts'
import { createWebHookSink } from './webhook/webhook-sender.ts'

export interface SinkDeps {
  /** Unix milliseconds. */
  readonly now: () => number
  readonly lookup: LookupFunction
  readonly hostname: string
  readonly pid: number
  /** Of all outgoing connections; a sink's own authorities take the place of these. */
  readonly tls: TlsClientSettings
  /** Unix milliseconds. */
  readonly startedAtMs: number
}

/** @throws TrackError TRK_TLS_CLIENT_FILES when a certificate cannot be used. */
export function createSink(definition: SinkDefinition, deps: SinkDeps): Sink {
  const { hostname, pid } = deps
  switch (definition.type) {
    case 'webhook':
      return createWebHookSink(definition, { ...deps, tls: tlsClientOptions(deps.tls) })
    case 'email':
      return createEmailSink(definition, { ...deps, tls: ownTls(deps.tls, definition.caFile) })
    case 'syslog': {
      const tls = ownTls(deps.tls, definition.caFile)
      return createSyslogSink(definition, { ...deps, tls, origin: { hostname, pid } })
    }
    case 'snmp':
      return createSnmpSink(definition, deps)
    case 'exec':
      return createExecSink(definition)
    default:
      return definition satisfies never
  }
}

function ownTls(settings: TlsClientSettings, caFile: string | undefined) {
  return tlsClientOptions(caFile === undefined ? settings : { ...settings, caBundleFile: caFile })
}

/** The sink as a lane wants it. */
export function sinkSender(sink: Sink): Sender {
  return {
    ...(sink.batching === undefined ? {} : { batching: sink.batching }),
    send: (messages) => sendThrough(sink, messages),
    close: () => sink.close(),
  }
}

async function sendThrough(sink: Sink, messages: readonly OutgoingMessage[]): Promise<Attempt> {
  const readable = messages.flatMap(readMessage)
  if (!isFilled(readable)) return refused('unexpected', 'the stored message is no notification')
  return await notifySafely(sink, readable)
}

/** A fault in a sink, or in a library that it uses, must not stop its lane: the message waits for the next try. */
export async function notifySafely(sink: Sink, messages: SinkMessages): Promise<Attempt> {
  try {
    return await sink.notify(messages)
  } catch (error) {
    return tryAgain('other', `the sink failed in the server itself: ${messageOf(error)}`)
  }
}

function readMessage({ deliveryId, body }: OutgoingMessage): readonly SinkMessage[] {
  const notification = readNotification(body)
  const alert = notification?.alerts[0]
  return notification === undefined || alert === undefined ? [] : [{ deliveryId, body, notification, alert }]
}

function isFilled(messages: readonly SinkMessage[]): messages is SinkMessages {
  return messages.length > 0
}
