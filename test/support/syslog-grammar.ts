/**
 * Readers of syslog messages, written from the grammars of RFC 5424 (section 6) and RFC 3164 (section 4.1), and of the
 * framings of RFC 6587. They refuse what the grammar does not have.
 */

export interface Rfc5424Message {
  readonly facility: number
  readonly severity: number
  readonly time: string
  readonly hostname: string
  readonly app: string
  readonly pid: string
  readonly messageId: string
  /** SD-ID to its parameters, unescaped. */
  readonly data: ReadonlyMap<string, ReadonlyMap<string, string>>
  readonly text: string
}

const HEADER =
  /^<(0|[1-9]\d{0,2})>1 (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)) ([!-~]{1,255}) ([!-~]{1,48}) ([!-~]{1,128}) ([!-~]{1,32}) /
const ELEMENT = /^\[([!#-<>-\\^-~]{1,32})((?: [!#-<>-\\^-~]{1,32}="(?:[^"\\\]]|\\["\\\]])*")*)\]/
const PARAMETER = / ([!#-<>-\\^-~]{1,32})="((?:[^"\\\]]|\\["\\\]])*)"/g

export function parseRfc5424(bytes: Uint8Array): Rfc5424Message {
  const message = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  const header = HEADER.exec(message)
  if (header === null) throw new Error(`no RFC 5424 header: ${message}`)
  const [whole, priority = '', time = '', hostname = '', app = '', pid = '', messageId = ''] = header
  if (Number(priority) > 191) throw new Error(`PRIVAL over 191: ${priority}`)
  let rest = message.slice(whole.length)
  const data = new Map<string, ReadonlyMap<string, string>>()
  for (let element = ELEMENT.exec(rest); element !== null; element = ELEMENT.exec(rest)) {
    const [text, id = '', parameters = ''] = element
    const values = Array.from(
      parameters.matchAll(PARAMETER),
      ([, name = '', value = '']) => [name, value.replaceAll(/\\(["\\\]])/g, '$1')] as const,
    )
    data.set(id, new Map(values))
    rest = rest.slice(text.length)
  }
  if (data.size === 0) throw new Error(`no structured data: ${rest}`)
  if (rest !== '' && !rest.startsWith(' ')) throw new Error(`no blank before MSG: ${rest}`)
  const [facility, severity] = [Math.floor(Number(priority) / 8), Number(priority) % 8]
  return { facility, severity, time, hostname, app, pid, messageId, data, text: rest.slice(1) }
}

export interface Rfc3164Message {
  readonly facility: number
  readonly severity: number
  readonly time: string
  readonly hostname: string
  readonly tag: string
  readonly text: string
}

const OLD =
  /^<(0|[1-9]\d{0,2})>((?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) (?: [1-9]|[12]\d|3[01]) [0-2]\d:[0-5]\d:[0-5]\d) ([^\s:]+) ([A-Za-z\d]{1,32})\[(\d+)\]: (.*)$/

export function parseRfc3164(bytes: Uint8Array): Rfc3164Message {
  const message = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  const parts = OLD.exec(message)
  if (parts === null) throw new Error(`no RFC 3164 message: ${message}`)
  const [, priority = '', time = '', hostname = '', tag = '', , text = ''] = parts
  return {
    facility: Math.floor(Number(priority) / 8),
    severity: Number(priority) % 8,
    time,
    hostname,
    tag,
    text,
  }
}

/** MSG-LEN SP SYSLOG-MSG, one after another. */
export function splitCounted(stream: Buffer): readonly Buffer[] {
  const messages: Buffer[] = []
  for (let at = 0; at < stream.length;) {
    const length = /^[1-9]\d* /.exec(stream.toString('latin1', at, at + 12))?.[0]
    if (length === undefined) throw new Error(`no MSG-LEN at ${at}`)
    const start = at + length.length
    at = start + Number(length)
    if (at > stream.length) throw new Error('the last message is cut off')
    messages.push(stream.subarray(start, at))
  }
  return messages
}

/** Messages that end in a line end. */
export function splitLines(stream: Buffer): readonly Buffer[] {
  const lines = stream.toString('latin1').split('\n')
  if (lines.pop() !== '') throw new Error('the last message has no line end')
  return lines.map((line) => Buffer.from(line, 'latin1'))
}
