/**
 * A sink from its definition. Main thread.
 */
import type { LookupFunction } from 'node:net'
import {
  tlsClientOptions,
  type TlsClientOptions,
  type TlsClientSettings,
} from '../../outgoing/tls-client-options.ts'
import type { SinkDefinition } from './alert-sink.ts'
import { createEmailSink } from './email/email-sender.ts'
import type { MailTimes } from './email/mail-throttle.ts'
import { createExecSink } from './exec/exec-sender.ts'
import type { Sink } from './sink-port.ts'
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
  readonly mailTimes: MailTimes
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
