/**
 * Lines of a file or of standard input, unpacked where it is gzip. Main thread of the command.
 */
import { createReadStream } from 'node:fs'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { bytesToText } from '../login/byte-string.ts'
import { messageOf, TrackError } from '../errors.ts'

/** As a report over HTTP may have. */
export const MOST_LINE_BYTES = 1024 * 1024
const READ_BYTES = 256 * 1024
const LINE_FEED = 0x0a
const GZIP_MAGIC = [0x1f, 0x8b] as const

export interface LineSource {
  /** As messages call it. */
  readonly name: string
  /** Bytes as they are stored; opened once. */
  readonly open: () => Readable
}

export function fileSource(path: string): LineSource {
  return { name: path, open: () => createReadStream(path, { highWaterMark: READ_BYTES }) }
}

/** A line that is longer than it may be is undefined. */
export type Line = string | undefined

/**
 * The lines of a source, many at a time; the last one may lack its line end.
 *
 * @param onBytes - told of bytes as they are read
 * @throws TrackError TRK_REPLAY_INPUT when it cannot be read to its end.
 */
export async function* linesOf(
  { name, open }: LineSource,
  onBytes: (count: number) => void,
): AsyncGenerator<readonly Line[], void, undefined> {
  const splitter = new LineSplitter()
  try {
    for await (const chunk of unpacked(open(), onBytes)) yield splitter.add(chunk)
  } catch (error) {
    throw new TrackError('TRK_REPLAY_INPUT', `${name}: ${messageOf(error)}`, { cause: error })
  }
  yield splitter.end()
}

/** Gzip is known by its first two bytes. */
async function* unpacked(source: Readable, onBytes: (count: number) => void): AsyncGenerator<Uint8Array> {
  const chunks = counted(source, onBytes)
  const head: Uint8Array[] = []
  let headBytes = 0
  while (headBytes < GZIP_MAGIC.length) {
    const next = await chunks.next()
    if (next.done === true) break
    head.push(next.value)
    headBytes += next.value.length
  }
  const first = Buffer.concat(head)
  if (!GZIP_MAGIC.every((byte, index) => first[index] === byte)) {
    yield first
    yield* chunks
    return
  }
  const gunzip = createGunzip({ chunkSize: READ_BYTES })
  // What goes wrong on the way destroys the stream that is read below, and is thrown there.
  const piping = pipeline(prepended(first, chunks), gunzip).catch(() => undefined)
  for await (const chunk of gunzip) yield bytesOf(chunk)
  await piping
}

async function* prepended(first: Uint8Array, rest: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield first
  yield* rest
}

async function* counted(source: Readable, onBytes: (count: number) => void): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    const bytes = bytesOf(chunk)
    onBytes(bytes.length)
    yield bytes
  }
}

/** Streams without an encoding give buffers. */
function bytesOf(chunk: unknown): Uint8Array {
  return chunk instanceof Uint8Array ? chunk : Buffer.from(String(chunk))
}

class LineSplitter {
  #rest: Uint8Array[] = []
  #restBytes = 0
  /** The line that goes on is too long already: nothing of it is kept. */
  #isTooLong = false

  add(chunk: Uint8Array): readonly Line[] {
    const end = chunk.lastIndexOf(LINE_FEED)
    if (end === -1) {
      this.#keep(chunk)
      return []
    }
    const first = chunk.indexOf(LINE_FEED)
    this.#keep(chunk.subarray(0, first))
    const lines: Line[] = [this.#take()]
    if (end > first) lines.push(...bytesToText(chunk.subarray(first + 1, end)).split('\n'))
    this.#keep(chunk.subarray(end + 1))
    return lines
  }

  end(): readonly Line[] {
    return this.#restBytes === 0 && !this.#isTooLong ? [] : [this.#take()]
  }

  #keep(bytes: Uint8Array): void {
    if (bytes.length === 0) return
    this.#restBytes += bytes.length
    if (this.#restBytes > MOST_LINE_BYTES) {
      this.#isTooLong = true
      this.#rest = []
    } else {
      this.#rest.push(bytes)
    }
  }

  #take(): Line {
    const line = this.#isTooLong ? undefined : bytesToText(Buffer.concat(this.#rest))
    this.#rest = []
    this.#restBytes = 0
    this.#isTooLong = false
    return line
  }
}
