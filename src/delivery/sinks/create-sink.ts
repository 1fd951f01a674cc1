/**
 * A sink from its definition, and what makes it a sender for a lane. Main thread.
 */
import type { LookupFunction } from 'node:net'
import { messageOf } from '../../errors.ts'
import {
  tlsClientOptions,
  type TlsClientOptions,
  type TlsClientSettings,
} from '../../outgoing/tls-client-options.ts'
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
  /** Made by `sinkTls`. */
  readonly tls: TlsClientOptions
  /** Unix milliseconds. */
  readonly startedAtMs: number
}

/**
 * What a sink goes by where it uses TLS; nothing for one that never does.
 *
 * @param settings - of all outgoing connections; a sink's own authorities take the place of these
 * @throws TrackError TRK_TLS_CLIENT_FILES when a certificate cannot be used.
 */
export function sinkTls(definition: SinkDefinition, settings: TlsClientSettings): TlsClientOptions {
  switch (definition.type) {
    case 'webhook':
      return tlsClientOptions(settings)
    case 'email':
    case 'syslog': {
      const { caFile } = definition
      return tlsClientOptions(caFile === undefined ? settings : { ...settings, caBundleFile: caFile })
    }
    case 'snmp':
    case 'exec':
      return {}
    default:
      return definition satisfies never
  }
}

/** Opens nothing before its first notification. */
export function createSink(definition: SinkDefinition, deps: SinkDeps): Sink {
  const { hostname, pid } = deps
  switch (definition.type) {
    case 'webhook':
      return createWebHookSink(definition, deps)
    case 'email':
      return createEmailSink(definition, deps)
    case 'syslog':
      return createSyslogSink(definition, { ...deps, origin: { hostname, pid } })
    case 'snmp':
      return createSnmpSink(definition, deps)
    case 'exec':
      return createExecSink(definition)
    default:
      return definition satisfies never
  }
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
