/**
 * One file as Lua's io library has it: read by lines, numbers or bytes, written, positioned. All calls work at once and
 * hold up the thread of the Lua state that long, which is what Lua code expects of them.
 */
import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs'
import { getSystemErrorMessage } from 'node:util'
import { messageOf } from '../../errors.ts'
import { lua } from '../fengari.ts'
import { MAX_STRING_BYTES } from '../fengari-patches.ts'
import type { LuaThread } from '../fengari-types.ts'
import { LuaRaise } from '../lua-raise.ts'
import { parseNumber } from '../numbers.ts'
import { nilAndMessage } from '../stack.ts'

const CHUNK_BYTES = 16 * 1024
const NEWLINE = 0x0a
/** More characters than any number needs. */
const MAX_NUMERAL_BYTES = 200

/** Lua's mode text, checked: r, w, a with + and b. */
const MODE = /^([rwa])(\+?)b?$/

/** Closes the files that a policy has forgotten. */
const forgotten = new FinalizationRegistry<number>((descriptor) => {
  try {
    closeSync(descriptor)
  } catch {
    // Nobody is left to tell, and the descriptor is of no use to anyone.
  }
})

export interface FileTarget {
  /** Undefined for streams that are no files. */
  readonly descriptor: number | undefined
  readonly isAppending: boolean
  /** Takes writes of a stream that is no file. */
  readonly write?: (bytes: Uint8Array) => void
}

export class LuaFile {
  readonly #target: FileTarget
  #isOpen = true
  /** Bytes read ahead. */
  #buffer = new Uint8Array(0)
  /** Where the next bytes are read from the file, behind the buffer; null for a pipe or device. */
  #position: number | null

  constructor(target: FileTarget) {
    this.#target = target
    const { descriptor } = target
    this.#position = descriptor !== undefined && fstatSync(descriptor).isFile() ? 0 : null
    if (descriptor !== undefined) forgotten.register(this, descriptor, this)
  }

  /** Opens a file; throws the system's error. */
  static open(path: string, mode: string): LuaFile {
    const [, kind, plus] = MODE.exec(mode) ?? []
    return new LuaFile({ descriptor: openSync(path, `${kind}${plus}`), isAppending: kind === 'a' })
  }

  static isMode(mode: string): boolean {
    return MODE.test(mode)
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  close(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    const { descriptor } = this.#target
    if (descriptor === undefined) return
    forgotten.unregister(this)
    closeSync(descriptor)
  }

  write(bytes: Uint8Array): void {
    const { descriptor, write, isAppending } = this.#target
    if (descriptor === undefined) {
      write?.(bytes)
      return
    }
    this.#dropBuffer()
    let written = 0
    while (written < bytes.length) {
      const position = isAppending || this.#position === null ? null : this.#position + written
      written += writeSync(descriptor, bytes, written, bytes.length - written, position)
    }
    if (this.#position !== null)
      this.#position = isAppending ? fstatSync(descriptor).size : this.#position + written
  }

  /** A line, undefined at the end of the file. */
  readLine(keepsNewline: boolean): Uint8Array | undefined {
    let searched = 0
    for (;;) {
      const end = this.#buffer.indexOf(NEWLINE, searched)
      if (end !== -1) {
        const line = this.#take(end + 1)
        return keepsNewline ? line : line.subarray(0, end)
      }
      searched = this.#buffer.length
      if (this.#fill()) continue
      return searched === 0 ? undefined : this.#take(searched)
    }
  }

  /** So many bytes, or fewer at the end of the file; undefined when there are none left. */
  readBytes(count: number): Uint8Array | undefined {
    while (this.#buffer.length < Math.max(count, 1) && this.#fill());
    return this.#buffer.length === 0 ? undefined : this.#take(count)
  }

  /** All that is left; empty at the end of the file. */
  readAll(): Uint8Array {
    while (this.#fill());
    return this.#take(this.#buffer.length)
  }

  /** The longest numeral that comes next, after white space. */
  readNumber(): number | undefined {
    while (this.#buffer.length < MAX_NUMERAL_BYTES && this.#fill());
    const text = Buffer.from(this.#buffer.subarray(0, CHUNK_BYTES)).toString('latin1')
    const numeral = /^[\t\n\v\f\r ]*([+-]?(?:0[xX][\da-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?))/.exec(
      text,
    )
    if (numeral === null) return undefined
    this.#take(numeral[0].length)
    return parseNumber(Buffer.from(numeral[1] ?? '', 'latin1'))
  }

  /** The new position in bytes; undefined where there are no positions. */
  seek(whence: 'set' | 'cur' | 'end', offset: number): number | undefined {
    const { descriptor } = this.#target
    if (this.#position === null || descriptor === undefined) return undefined
    const bases = {
      set: 0,
      cur: this.#position - this.#buffer.length,
      end: fstatSync(descriptor).size,
    } as const
    const position = bases[whence] + offset
    if (position < 0) return undefined
    this.#buffer = new Uint8Array(0)
    this.#position = position
    return position
  }

  /** Reads ahead; false at the end of the file. */
  #fill(): boolean {
    const { descriptor } = this.#target
    if (descriptor === undefined) return false
    if (this.#buffer.length > MAX_STRING_BYTES) {
      throw new LuaRaise(`not enough memory (a string may have ${MAX_STRING_BYTES} bytes)`)
    }
    const chunk = new Uint8Array(Math.max(CHUNK_BYTES, this.#buffer.length))
    const count = readSync(descriptor, chunk, 0, chunk.length, this.#position)
    if (count === 0) return false
    if (this.#position !== null) this.#position += count
    const grown = new Uint8Array(this.#buffer.length + count)
    grown.set(this.#buffer)
    grown.set(chunk.subarray(0, count), this.#buffer.length)
    this.#buffer = grown
    return true
  }

  #take(count: number): Uint8Array {
    const taken = this.#buffer.subarray(0, count)
    this.#buffer = this.#buffer.subarray(count)
    return taken
  }

  #dropBuffer(): void {
    if (this.#position !== null) this.#position -= this.#buffer.length
    this.#buffer = new Uint8Array(0)
  }
}

/** Lua's answer to a failed file operation: nil, text and error number. An error that is none of the system goes on. */
export function fileFailure(L: LuaThread, error: unknown, path: string | undefined): number {
  if (!(error instanceof Error) || !('errno' in error) || typeof error.errno !== 'number') throw error
  const text = systemText(error.errno) ?? messageOf(error)
  nilAndMessage(L, path === undefined ? text : `${path}: ${text}`)
  lua.lua_pushnumber(L, Math.abs(error.errno))
  return 3
}

/** In C's spelling: "No such file or directory". */
function systemText(errno: number): string | undefined {
  const text = getSystemErrorMessage(errno)
  return text === undefined ? undefined : text.slice(0, 1).toUpperCase() + text.slice(1)
}
