/**
 * Makes small MaxMind DB files for tests, so that fixtures say what they contain. Pure.
 * Format: https://maxmind.github.io/MaxMind-DB/
 */

/** A value of a record: whole numbers become uint32, others double, bigint uint64. */
export type MmdbValue =
  string | number | bigint | boolean | readonly MmdbValue[] | { readonly [key: string]: MmdbValue } | RawValue

/** Bytes put into the data section as they are, to make it wrong. */
export class RawValue {
  readonly bytes: Buffer
  constructor(bytes: readonly number[]) {
    this.bytes = Buffer.from(bytes)
  }
}

export interface MmdbOptions {
  readonly ipVersion?: 4 | 6
  /** Bits per tree record: 24, 28 or 32. */
  readonly recordBits?: 24 | 28 | 32
  readonly type?: string
  /** Unix seconds. */
  readonly builtAt?: number
  /** Metadata that differ from what fits. */
  readonly metadata?: { readonly [key: string]: MmdbValue }
}

type Node = [left: Branch, right: Branch]
type Branch = Node | { readonly offset: number } | undefined

/** The file's bytes, given networks such as `1.2.3.0/24` or `2001:db8::/32` (no `::` in the middle) and their records. */
export function mmdbFile(
  networks: { readonly [network: string]: MmdbValue },
  options: MmdbOptions = {},
): SharedArrayBuffer {
  const { ipVersion = 6, recordBits = 28, type = 'Test', builtAt = 1_700_000_000 } = options
  const root: Node = [undefined, undefined]
  const data: Buffer[] = []
  let offset = 0
  for (const [network, record] of Object.entries(networks)) {
    const bytes = encode(record)
    insert(root, networkBits(network, ipVersion), offset)
    data.push(bytes)
    offset += bytes.length
  }
  const nodes = flatten(root)
  const metadata = encode({
    binary_format_major_version: 2,
    binary_format_minor_version: 0,
    build_epoch: BigInt(builtAt),
    database_type: type,
    description: { en: 'made by a test' },
    ip_version: ipVersion,
    languages: ['en'],
    node_count: nodes.length,
    record_size: recordBits,
    ...options.metadata,
  })
  const marker = Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1')
  const file = Buffer.concat([encodeTree(nodes, recordBits), Buffer.alloc(16), ...data, marker, metadata])
  const shared = new SharedArrayBuffer(file.length)
  Buffer.from(shared).set(file)
  return shared
}

function networkBits(network: string, ipVersion: 4 | 6): string {
  const [address = '', length = ''] = network.split('/')
  const isIPv4 = !address.includes(':')
  const groups = isIPv4 ? address.split('.') : address.replace(/::$/, '').split(':')
  const bits = groups
    .map((group) =>
      Number.parseInt(group, isIPv4 ? 10 : 16)
        .toString(2)
        .padStart(isIPv4 ? 8 : 16, '0'),
    )
    .join('')
    .padEnd(isIPv4 ? 32 : 128, '0')
    .slice(0, Number(length))
  return isIPv4 && ipVersion === 6 ? '0'.repeat(96) + bits : bits
}

function insert(root: Node, bits: string, offset: number): void {
  let node = root
  for (let index = 0; index < bits.length; index++) {
    const side = bits[index] === '1' ? 1 : 0
    const next = node[side]
    if (index === bits.length - 1) node[side] = { offset }
    else if (Array.isArray(next)) node = next
    else {
      const made: Node = [next, next]
      node[side] = made
      node = made
    }
  }
}

function flatten(root: Node): readonly (readonly [number | string, number | string])[] {
  const nodes: Node[] = [root]
  const branches: [number | string, number | string][] = []
  const target = (branch: Branch): number | string => {
    if (branch === undefined) return 'nothing'
    if (!Array.isArray(branch)) return `data ${branch.offset}`
    return nodes.push(branch) - 1
  }
  for (const [left, right] of nodes) branches.push([target(left), target(right)])
  return branches
}

function encodeTree(
  nodes: readonly (readonly [number | string, number | string])[],
  recordBits: number,
): Buffer {
  const value = (target: number | string): bigint => {
    if (typeof target === 'number') return BigInt(target)
    return BigInt(target === 'nothing' ? nodes.length : nodes.length + 16 + Number(target.slice(5)))
  }
  return Buffer.concat(
    nodes.map(([left, right]) => {
      const [a, b] = [value(left), value(right)]
      const hex = (number: bigint, digits: number): string => number.toString(16).padStart(digits, '0')
      const digits = recordBits / 4
      if (recordBits !== 28) return Buffer.from(hex(a, digits) + hex(b, digits), 'hex')
      const low = 0xffffffn
      return Buffer.from(hex(a & low, 6) + hex(a >> 24n, 1) + hex(b >> 24n, 1) + hex(b & low, 6), 'hex')
    }),
  )
}

function encode(value: MmdbValue): Buffer {
  if (value instanceof RawValue) return value.bytes
  if (typeof value === 'string') return sized(2, Buffer.from(value))
  if (typeof value === 'boolean') return Buffer.from([value ? 1 : 0, 7])
  if (typeof value === 'bigint') return unsigned(9, value)
  if (typeof value === 'number') {
    if (Number.isInteger(value) && value >= 0) return unsigned(6, BigInt(value))
    const bytes = Buffer.alloc(8)
    bytes.writeDoubleBE(value)
    return sized(3, bytes)
  }
  if (isList(value)) return head(11, value.length, value.map(encode))
  const entries = Object.entries(value)
  return head(
    7,
    entries.length,
    entries.flatMap(([key, member]) => [encode(key), encode(member)]),
  )
}

function isList(value: object): value is readonly MmdbValue[] {
  return Array.isArray(value)
}

function unsigned(type: number, value: bigint): Buffer {
  const hex = value === 0n ? '' : value.toString(16)
  return sized(type, Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex'))
}

function sized(type: number, bytes: Buffer): Buffer {
  return head(type, bytes.length, [bytes])
}

function head(type: number, size: number, rest: readonly Buffer[]): Buffer {
  const bits = size < 29 ? size : 29
  const more = size < 29 ? [] : [size - 29]
  const start = type < 8 ? [(type << 5) | bits] : [bits, type - 7]
  return Buffer.concat([Buffer.from([...start, ...more]), ...rest])
}
