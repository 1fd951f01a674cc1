/**
 * A DNS server of a few lines: answers A, AAAA and PTR questions over UDP from a table, or not at all.
 */
import { createSocket, type RemoteInfo } from 'node:dgram'
import { isIPv4 } from 'node:net'
import type { TestContext } from 'node:test'

export type RecordType = 'A' | 'AAAA' | 'PTR'

/** What to do with a question. */
export type DnsReply =
  | { readonly kind: 'records'; readonly values: readonly string[]; readonly ttlSeconds: number }
  | { readonly kind: 'no-such-name' }
  | { readonly kind: 'server-failure' }
  | { readonly kind: 'silence' }

export interface DnsServer {
  readonly port: number
  /** `TYPE name` of every question that came. */
  readonly questions: readonly string[]
  /** Resolves when so many questions have come. */
  readonly asked: (count: number) => Promise<void>
}

const TYPES: ReadonlyMap<number, RecordType> = new Map([
  [1, 'A'],
  [12, 'PTR'],
  [28, 'AAAA'],
])
const HEADER_BYTES = 12

/** @param answer - gives the reply, perhaps later */
export async function startDnsServer(
  t: TestContext,
  answer: (type: RecordType, name: string) => DnsReply | Promise<DnsReply>,
): Promise<DnsServer> {
  const questions: string[] = []
  let onAsked = (): void => undefined
  const socket = createSocket('udp4')
  let isOpen = true
  const handle = async (message: Buffer, peer: RemoteInfo): Promise<void> => {
    const { name, type, end } = readQuestion(message)
    questions.push(`${type} ${name}`)
    onAsked()
    const reply = await answer(type, name)
    const response = encode(message.subarray(0, end), type, reply)
    if (response !== undefined && isOpen) socket.send(response, peer.port, peer.address)
  }
  socket.on('message', (message, peer) => void handle(message, peer))
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  t.after(() => {
    isOpen = false
    socket.close()
  })
  return {
    port: socket.address().port,
    questions,
    asked: (count) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(
          () => reject(new Error(`${questions.length} of ${count} questions came`)),
          15_000,
        )
        onAsked = () => {
          if (questions.length < count) return
          clearTimeout(timer)
          resolve()
        }
        onAsked()
      }),
  }
}

function readQuestion(message: Buffer): {
  readonly name: string
  readonly type: RecordType
  readonly end: number
} {
  const labels: string[] = []
  let at = HEADER_BYTES
  for (let length = message.readUInt8(at); length > 0; length = message.readUInt8(at)) {
    labels.push(message.toString('latin1', at + 1, at + 1 + length))
    at += 1 + length
  }
  const type = TYPES.get(message.readUInt16BE(at + 1))
  if (type === undefined) throw new Error('a question of a type that no test asks for')
  return { name: labels.join('.').toLowerCase(), type, end: at + 5 }
}

/** Header (RFC 1035, section 4.1.1), the question again, and the records. */
function encode(question: Buffer, type: RecordType, reply: DnsReply): Buffer | undefined {
  if (reply.kind === 'silence') return undefined
  const head = Buffer.from(question)
  const responseCode = { records: 0, 'no-such-name': 3, 'server-failure': 2 }[reply.kind]
  // Response, recursion desired and available.
  head.writeUInt16BE(0x8180 | responseCode, 2)
  const values = reply.kind === 'records' ? reply.values : []
  head.writeUInt16BE(1, 4)
  head.writeUInt16BE(values.length, 6)
  head.writeUInt16BE(0, 8)
  head.writeUInt16BE(0, 10)
  const ttlSeconds = reply.kind === 'records' ? reply.ttlSeconds : 0
  return Buffer.concat([head, ...values.map((value) => record(type, value, ttlSeconds))])
}

function record(type: RecordType, value: string, ttlSeconds: number): Buffer {
  const data = type === 'PTR' ? encodeName(value) : encodeAddress(value)
  const start = Buffer.alloc(HEADER_BYTES)
  // A pointer to the question's name.
  start.writeUInt16BE(0xc000 | HEADER_BYTES, 0)
  start.writeUInt16BE([...TYPES].find(([, name]) => name === type)?.[0] ?? 0, 2)
  start.writeUInt16BE(1, 4)
  start.writeUInt32BE(ttlSeconds, 6)
  start.writeUInt16BE(data.length, 10)
  return Buffer.concat([start, data])
}

function encodeName(name: string): Buffer {
  const labels = name
    .split('.')
    .map((label) => Buffer.concat([Buffer.of(label.length), Buffer.from(label, 'latin1')]))
  return Buffer.concat([...labels, Buffer.of(0)])
}

/** IPv6 only in the form of eight groups. */
function encodeAddress(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number))
  return Buffer.from(
    address
      .split(':')
      .map((group) => group.padStart(4, '0'))
      .join(''),
    'hex',
  )
}
