/**
 * Alert sinks as the configuration names them: type and keys into a checked definition. Pure; used on the configuration
 * thread to check and on the main thread to build the sinks.
 */
import { parseEmailSink, type EmailSink } from './email/email-sink.ts'
import { parseExecSink, type ExecSink } from './exec/exec-sink.ts'
import { SinkKeys, type Parsed, type SinkKeyValues } from './sink-keys.ts'
import { parseSnmpSink, type SnmpSink } from './snmp/snmp-sink.ts'
import { parseSyslogSink, type SyslogSink } from './syslog/syslog-sink.ts'
import { parseWebHookSink, type WebHookSink } from './webhook/webhook-sink.ts'

export const SINK_TYPES = ['webhook', 'email', 'syslog', 'snmp', 'exec'] as const
export type SinkType = (typeof SINK_TYPES)[number]

export type SinkDefinition = WebHookSink | EmailSink | SyslogSink | SnmpSink | ExecSink

/** Names stand in metrics, logs and commands. */
const NAME = /^[A-Za-z0-9_.-]{1,64}$/

/** Checks the keys of one sink. The reason of a refusal names sink and key, and holds no secret. */
export function parseAlertSink(name: string, type: string, keys: SinkKeyValues): Parsed<SinkDefinition> {
  const refuse = (why: string): Parsed<SinkDefinition> => ({
    ok: false,
    reason: `alert sink ${JSON.stringify(name)}: ${why}`,
  })
  if (!NAME.test(name))
    return refuse('its name must be 1 to 64 letters, digits, dots, dashes and underscores')
  const known = SINK_TYPES.find((candidate) => candidate === type)
  if (known === undefined)
    return refuse(`there is no type ${JSON.stringify(type)}; there are ${SINK_TYPES.join(', ')}`)
  return parseType(known, name, new SinkKeys(keys))
}

function parseType(type: SinkType, name: string, keys: SinkKeys): Parsed<SinkDefinition> {
  switch (type) {
    case 'webhook':
      return parseWebHookSink(name, keys)
    case 'email':
      return parseEmailSink(name, keys)
    case 'syslog':
      return parseSyslogSink(name, keys)
    case 'snmp':
      return parseSnmpSink(name, keys)
    case 'exec':
      return parseExecSink(name, keys)
    default:
      return type satisfies never
  }
}
