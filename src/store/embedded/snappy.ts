/**
 * Decompresses Snappy, in which LevelDB stores the index of a table: the check of a table needs it. Pure.
 * Format: https://github.com/google/snappy/blob/main/format_description.txt
 */

/** The plain bytes; undefined when the input is not valid or would be larger than `maxBytes`. */
export function snappyDecode(input: Uint8Array, maxBytes: number): Uint8Array | undefined {
  const head = readLength(input)
  if (head === undefined || head.length > maxBytes) return undefined
  const output = new Uint8Array(head.length)
  let from = head.end
  let to = 0
  while (from < input.length) {
    const element = readElement(input, from)
    if (element === undefined || to + element.length > output.length) return undefined
    if (element.offset === 0) {
      if (element.end + element.length > input.length) return undefined
      output.set(input.subarray(element.end, element.end + element.length), to)
      from = element.end + element.length
    } else {
      if (element.offset > to) return undefined
      // Byte by byte: source and target may overlap, which repeats the bytes between them.
      for (let index = 0; index < element.length; index++) {
        output[to + index] = output[to + index - element.offset] ?? 0
      }
      from = element.end
    }
    to += element.length
  }
  return to === output.length ? output : undefined
}

interface Element {
  readonly length: number
  /** How far back to copy from; 0 for literal bytes, which follow the element. */
  readonly offset: number
  readonly end: number
}

function readElement(input: Uint8Array, at: number): Element | undefined {
  const tag = input[at] ?? 0
  const kind = tag & 3
  if (kind === 0) {
    const small = tag >>> 2
    const extra = small < 60 ? 0 : small - 59
    const length = extra === 0 ? small : littleEndian(input, at + 1, extra)
    return { length: length + 1, offset: 0, end: at + 1 + extra }
  }
  const size = kind === 1 ? 1 : kind === 2 ? 2 : 4
  if (at + size >= input.length) return undefined
  const stored = littleEndian(input, at + 1, size)
  const offset = kind === 1 ? ((tag >>> 5) << 8) | stored : stored
  const length = kind === 1 ? ((tag >>> 2) & 7) + 4 : (tag >>> 2) + 1
  return offset === 0 ? undefined : { length, offset, end: at + 1 + size }
}

function readLength(input: Uint8Array): { readonly length: number; readonly end: number } | undefined {
  let length = 0
  for (let index = 0; index < 5; index++) {
    const byte = input[index]
    if (byte === undefined) return undefined
    length += (byte & 0x7f) * 128 ** index
    if (byte < 0x80) return { length, end: index + 1 }
  }
  return undefined
}

function littleEndian(input: Uint8Array, at: number, size: number): number {
  let value = 0
  for (let index = size - 1; index >= 0; index--) value = value * 256 + (input[at + index] ?? 0)
  return value
}
