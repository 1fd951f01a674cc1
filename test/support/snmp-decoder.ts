/**
 * Reads SNMP messages of the versions 1 and 2c (RFC 1157, RFC 3416) from their bytes, and what a MIB module says about
 * its objects, with nothing of the library that sends them.
 */
import { readFileSync } from 'node:fs'

export interface DecodedVariable {
  readonly oid: string
  /** Tag of BER. */
  readonly tag: number
  readonly value: number | string | Buffer
}

export interface DecodedTrap {
  readonly version: number
  readonly community: string
  /** Tag of the PDU: 0xa4 trap of version 1, 0xa7 trap, 0xa6 inform. */
  readonly pdu: number
  /** Version 1 only. */
  readonly enterprise: string | undefined
  readonly specific: number | undefined
  readonly variables: readonly DecodedVariable[]
}

interface Element {
  readonly tag: number
  readonly content: Buffer
}

function elements(bytes: Buffer): readonly Element[] {
  const found: Element[] = []
  for (let at = 0; at < bytes.length;) {
    const tag = bytes[at++] ?? 0
    let length = bytes[at++] ?? 0
    if (length > 0x80) {
      const count = length - 0x80
      length = bytes.readUIntBE(at, count)
      at += count
    }
    if (at + length > bytes.length) throw new Error('an element is longer than what holds it')
    found.push({ tag, content: bytes.subarray(at, at + length) })
    at += length
  }
  return found
}

function oidText(content: Buffer): string {
  const numbers = [Math.floor((content[0] ?? 0) / 40), (content[0] ?? 0) % 40]
  let number = 0
  for (const byte of content.subarray(1)) {
    number = number * 128 + (byte & 0x7f)
    if (byte < 0x80) {
      numbers.push(number)
      number = 0
    }
  }
  return numbers.join('.')
}

function integer(content: Buffer): number {
  return content.length === 0 ? 0 : content.readIntBE(0, content.length)
}

function valueOf({ tag, content }: Element): number | string | Buffer {
  if (tag === 0x06) return oidText(content)
  if (tag === 0x02) return integer(content)
  // Unsigned32 and TimeTicks: a leading 0 keeps them positive.
  if (tag === 0x42 || tag === 0x43) return integer(Buffer.concat([Buffer.of(0), content.subarray(-5)]))
  return content
}

export function decodeTrap(bytes: Buffer): DecodedTrap {
  const [message, ...rest] = elements(bytes)
  if (message?.tag !== 0x30 || rest.length > 0) throw new Error('no message')
  const [version, community, pdu] = elements(message.content)
  if (version === undefined || community === undefined || pdu === undefined)
    throw new Error('not three parts')
  const fields = elements(pdu.content)
  const list = fields.at(-1)
  const variables = elements(list?.content ?? Buffer.of()).map(({ content }) => {
    const [name, value] = elements(content)
    if (name === undefined || value === undefined) throw new Error('no variable')
    return { oid: oidText(name.content), tag: value.tag, value: valueOf(value) }
  })
  const isOld = pdu.tag === 0xa4
  return {
    version: integer(version.content),
    community: community.content.toString(),
    pdu: pdu.tag,
    enterprise: isOld ? oidText(fields[0]?.content ?? Buffer.of()) : undefined,
    specific: isOld ? integer(fields[3]?.content ?? Buffer.of()) : undefined,
    variables,
  }
}

export interface MibModule {
  /** Object to its identifier. */
  readonly oids: ReadonlyMap<string, string>
  /** Object to what stands behind SYNTAX. */
  readonly syntax: ReadonlyMap<string, string>
  /** Notification to its objects. */
  readonly notifications: ReadonlyMap<string, readonly string[]>
}

/** As much of SMIv2 as our module uses. */
export function readMib(url: URL): MibModule {
  const source = readFileSync(url, 'utf8')
    .replaceAll(/--.*$/gm, '')
    .replaceAll(/"[^"]*"/g, '""')
  const parents = new Map<string, readonly [parent: string, number: string]>()
  const syntax = new Map<string, string>()
  const notifications = new Map<string, readonly string[]>()
  const definition =
    /\b([a-z]\w*)\s+(MODULE-IDENTITY|OBJECT-TYPE|NOTIFICATION-TYPE|OBJECT IDENTIFIER|MODULE-COMPLIANCE|OBJECT-GROUP|NOTIFICATION-GROUP)\b(.*?)::=\s*\{\s*(\w+)\s+(\d+)\s*\}/gs
  for (const [, name = '', kind = '', body = '', parent = '', number = ''] of source.matchAll(definition)) {
    parents.set(name, [parent, number])
    const type = /SYNTAX\s+(.*?)\s+MAX-ACCESS/s.exec(body)?.[1]
    if (type !== undefined) syntax.set(name, type)
    const objects = /OBJECTS\s*\{([^}]*)\}/s.exec(body)?.[1]
    if (kind === 'NOTIFICATION-TYPE' && objects !== undefined)
      notifications.set(
        name,
        objects.split(',').map((object) => object.trim()),
      )
  }
  const oidOf = (name: string): string => {
    if (name === 'enterprises') return '1.3.6.1.4.1'
    const [parent, number] = parents.get(name) ?? []
    if (parent === undefined) throw new Error(`the module does not define ${name}`)
    return `${oidOf(parent)}.${number}`
  }
  return { oids: new Map([...parents.keys()].map((name) => [name, oidOf(name)])), syntax, notifications }
}
