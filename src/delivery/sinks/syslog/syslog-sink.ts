/**
 * Alert sinks of the type syslog: their keys. Pure.
 */
import { FACILITY_NUMBERS, SYSLOG_FACILITIES } from '../../../outgoing/syslog-facilities.ts'
import { placeText, type Parsed, type Place, type SinkKeys } from '../sink-keys.ts'
import type { SinkBasics } from '../sink-port.ts'
import { SPREAD_MODES, type SpreadMode } from '../spread.ts'

const FORMATS = ['rfc5424', 'rfc3164'] as const
const TRANSPORTS = ['udp', 'tcp', 'tls'] as const
export interface SyslogSink extends SinkBasics {
  readonly type: 'syslog'
  readonly format: (typeof FORMATS)[number]
  readonly transport: (typeof TRANSPORTS)[number]
  readonly places: readonly Place[]
  readonly mode: SpreadMode
  /** Its number. */
  readonly facility: number
  readonly tag: string
  /** Instead of this machine's. */
  readonly hostname: string | undefined
  /** Number of the structured data's enterprise. */
  readonly enterprise: number
  readonly maxBytes: number
  readonly caFile: string | undefined
}

/**
 * 32473 is set aside for examples (RFC 5612): trackalert has no enterprise number of its own. Operators who have one set
 * it.
 */
const EXAMPLE_ENTERPRISE = 32_473

/** What RFC 5424, section 6, allows for names; 48 characters is the limit of APP-NAME, 32 that of RFC 3164's TAG. */
const TAG = /^[!-~]{1,32}$/
const HOSTNAME = /^[!-~]{1,255}$/

export function parseSyslogSink(name: string, keys: SinkKeys): Parsed<SyslogSink> {
  const transport = keys.choice('transport', TRANSPORTS, 'udp')
  const format = keys.choice('format', FORMATS, 'rfc5424')
  const places = keys.places('host', undefined, transport === 'tls' ? 6514 : 514)
  const mode = keys.choice('mode', SPREAD_MODES, 'all')
  const facility = FACILITY_NUMBERS[keys.choice('facility', SYSLOG_FACILITIES, 'auth')]
  const tag = keys.text('tag') ?? 'trackalert'
  if (!TAG.test(tag)) keys.problem('tag must be 1 to 32 printable ASCII characters without blanks')
  const hostname = keys.text('hostname')
  if (hostname !== undefined && !HOSTNAME.test(hostname))
    keys.problem('hostname must be printable ASCII without blanks')
  const enterprise = keys.number('enterprise', {
    preset: EXAMPLE_ENTERPRISE,
    min: 0,
    max: 2_147_483_647,
    unit: 'its registry',
  })
  const maxBytes = keys.number('maxBytes', {
    preset: defaultMaxBytes(format, transport),
    min: 480,
    max: 65_000,
    unit: 'bytes',
  })
  const timeoutMs = 1000 * keys.number('timeout', { preset: 10, min: 1, max: 300, unit: 'seconds' })
  const caFile = keys.text('ca')
  if (caFile !== undefined && transport !== 'tls') keys.problem('ca is of use only with transport = "tls"')
  const place = `${transport} ${places.map(placeText).join(', ')}`
  const basics = { type: 'syslog', name, place, timeoutMs } as const
  return keys.done(name, {
    ...basics,
    format,
    transport,
    places,
    mode,
    facility,
    tag,
    hostname,
    enterprise,
    maxBytes,
    caFile,
  })
}

/** What every receiver should take: RFC 3164, section 4.1, and RFC 5424, section 6.1; over a stream there is no datagram to fit. */
function defaultMaxBytes(format: SyslogSink['format'], transport: SyslogSink['transport']): number {
  if (transport !== 'udp') return 8192
  return format === 'rfc3164' ? 1024 : 2048
}
