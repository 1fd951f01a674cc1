/**
 * The io library of Lua 5.1, which the engine lacks. Standard output goes to the state's `print`; there is no standard
 * input, and no programs can be started. Lives on the thread of its Lua state.
 */
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { randomUUID } from 'node:crypto'
import { rmSync } from 'node:fs'
import { bytesToText, textToBytes } from '../../login/byte-string.ts'
import { messageOf } from '../../errors.ts'
import { engine, lua } from '../fengari.ts'
import { TYPE, type HostCode, type LuaThread, type TableObject } from '../fengari-types.ts'
import { LuaRaise } from '../lua-raise.ts'
import {
  isNilArgument,
  nilAndMessage,
  pushLibrary,
  pushText,
  raise,
  raiseArgument,
  setFunctions,
  textArgument,
} from '../stack.ts'
import { fileFailure, LuaFile } from './io-file.ts'

export interface IoOptions {
  /** Takes what is written to standard output and standard error. */
  readonly print: (text: string) => void
  readonly changesFiles: boolean
}

/** One state's io library: its metatable and default files. */
class IoLibrary {
  readonly #metatable: TableObject
  /** Opens a file; throws the system's error. */
  readonly open: (path: string, mode: string) => LuaFile
  input: LuaFile
  output: LuaFile

  constructor(
    metatable: TableObject,
    open: IoLibrary['open'],
    { input, output }: { readonly input: LuaFile; readonly output: LuaFile },
  ) {
    this.#metatable = metatable
    this.open = open
    this.input = input
    this.output = output
  }

  push(L: LuaThread, file: LuaFile): number {
    const userdata = new engine.Udata(L, 0)
    userdata.data = file
    userdata.metatable = this.#metatable
    L.stack[L.top++] = new engine.TValue(TYPE.userdata, userdata)
    return 1
  }
}

export function installIo(L: LuaThread, { print, changesFiles }: IoOptions): void {
  const toPrint = new LuaFile({
    descriptor: undefined,
    isAppending: false,
    write: (bytes) => print(bytesToText(bytes)),
  })
  const empty = new LuaFile({ descriptor: undefined, isAppending: false })
  lua.lua_createtable(L, 0, 0)
  const metatable = lua.lua_topointer(L, -1)
  if (!(metatable instanceof engine.Table)) throw new TypeError('the Lua engine makes no tables')
  const open = changesFiles ? (path: string, mode: string) => LuaFile.open(path, mode) : openUnchanged
  const io = new IoLibrary(metatable, open, { input: empty, output: toPrint })
  setFunctions(L, { __tostring: fileText })
  lua.lua_createtable(L, 0, 0)
  setFunctions(L, fileMethods(io))
  lua.lua_setfield(L, -2, textToBytes('__index'))
  pushText(L, 'FILE*')
  lua.lua_setfield(L, -2, textToBytes('__metatable'))
  lua.lua_pop(L, 1)

  pushLibrary(L, 'io')
  setFunctions(L, ioFunctions(io))
  for (const [name, file] of Object.entries({ stdin: empty, stdout: toPrint, stderr: toPrint })) {
    io.push(L, file)
    lua.lua_setfield(L, -2, textToBytes(name))
  }
  lua.lua_pop(L, 1)
}

function ioFunctions(io: IoLibrary): Readonly<Record<string, HostCode>> {
  const choose =
    (key: 'input' | 'output', mode: string): HostCode =>
    (L) => {
      if (!isNilArgument(L, 1)) {
        if (lua.lua_type(L, 1) === TYPE.string) io[key] = openOrRaise(L, io, textArgument(L, 1), mode)
        else io[key] = fileArgument(L, 1)
      }
      return io.push(L, io[key])
    }
  return {
    open(L) {
      const path = textArgument(L, 1)
      const mode = isNilArgument(L, 2) ? 'r' : textArgument(L, 2)
      if (!LuaFile.isMode(mode)) return raiseArgument(L, 2, 'invalid mode')
      return attempt(L, path, () => io.push(L, io.open(path, mode)))
    },
    close: (L) => closeFile(L, isNilArgument(L, 1) ? io.output : fileArgument(L, 1)),
    read: (L) => read(L, openFile(L, io.input), 1),
    write: (L) => write(L, io, { file: openFile(L, io.output), first: 1 }),
    lines(L) {
      if (isNilArgument(L, 1)) return pushLines(L, openFile(L, io.input), { closesAtEnd: false, first: 2 })
      return pushLines(L, openOrRaise(L, io, textArgument(L, 1), 'r'), { closesAtEnd: true, first: 2 })
    },
    input: choose('input', 'r'),
    output: choose('output', 'w'),
    type(L) {
      lua.luaL_checkany(L, 1)
      const file = lua.lua_touserdata(L, 1)
      if (file instanceof LuaFile) pushText(L, file.isOpen ? 'file' : 'closed file')
      else lua.lua_pushnil(L)
      return 1
    },
    popen: (L) => nilAndMessage(L, 'io.popen is not available: a policy cannot start programs'),
    tmpfile(L) {
      const path = join(tmpdir(), `lua_${randomUUID()}`)
      return attempt(L, path, () => {
        const file = io.open(path, 'w+')
        rmSync(path, { force: true })
        return io.push(L, file)
      })
    },
  }
}

function fileMethods(io: IoLibrary): Readonly<Record<string, HostCode>> {
  return {
    read: (L) => read(L, openFile(L, fileArgument(L, 1)), 2),
    write: (L) => write(L, io, { file: openFile(L, fileArgument(L, 1)), first: 2 }),
    lines: (L) => pushLines(L, openFile(L, fileArgument(L, 1)), { closesAtEnd: false, first: 2 }),
    close: (L) => closeFile(L, fileArgument(L, 1)),
    flush: (L) => answerOpen(L),
    setvbuf: (L) => answerOpen(L),
    seek,
  }
}

function fileText(L: LuaThread): number {
  pushText(L, fileArgument(L, 1).isOpen ? 'file (open)' : 'file (closed)')
  return 1
}

function fileArgument(L: LuaThread, position: number): LuaFile {
  const file = lua.lua_touserdata(L, position)
  return file instanceof LuaFile ? file : raiseArgument(L, position, 'FILE* expected')
}

function openFile(L: LuaThread, file: LuaFile): LuaFile {
  return file.isOpen ? file : raise(L, 'attempt to use a closed file')
}

/** A file that is opened for writing is none: it takes all and keeps nothing. */
function openUnchanged(path: string, mode: string): LuaFile {
  return mode.startsWith('r')
    ? LuaFile.open(path, 'r')
    : new LuaFile({ descriptor: undefined, isAppending: false })
}

function openOrRaise(L: LuaThread, io: IoLibrary, path: string, mode: string): LuaFile {
  let reason: string
  try {
    return io.open(path, mode)
  } catch (error) {
    reason = messageOf(error)
  }
  return raise(L, reason)
}

/** Runs a file operation; the system's refusal becomes nil and a text. */
function attempt(L: LuaThread, path: string | undefined, operation: () => number): number {
  let refusal: string
  try {
    return operation()
  } catch (error) {
    if (!(error instanceof LuaRaise)) return fileFailure(L, error, path)
    refusal = error.message
  }
  return raise(L, refusal)
}

function pushTrue(L: LuaThread): number {
  lua.lua_pushboolean(L, true)
  return 1
}

/** What asks for nothing: writes are not buffered. */
function answerOpen(L: LuaThread): number {
  openFile(L, fileArgument(L, 1))
  return pushTrue(L)
}

function closeFile(L: LuaThread, file: LuaFile): number {
  openFile(L, file)
  return attempt(L, undefined, () => {
    file.close()
    return pushTrue(L)
  })
}

function write(
  L: LuaThread,
  io: IoLibrary,
  { file, first }: { readonly file: LuaFile; readonly first: number },
): number {
  const pieces: Uint8Array[] = []
  for (let position = first; position <= lua.lua_gettop(L); position++)
    pieces.push(lua.luaL_checkstring(L, position))
  return attempt(L, undefined, () => {
    for (const piece of pieces) file.write(piece)
    // Lua 5.2 and LuaJIT return the file, so that writes can be chained.
    return io.push(L, file)
  })
}

/** What one read format asks for. */
type ReadFormat = 'n' | 'l' | 'L' | 'a' | number

function formatArgument(L: LuaThread, position: number): ReadFormat {
  if (lua.lua_type(L, position) === TYPE.number) return Math.max(0, lua.luaL_checkinteger(L, position))
  const [format] = textArgument(L, position).replace(/^\*/, '')
  switch (format) {
    case 'n':
    case 'l':
    case 'L':
    case 'a':
      return format
    default:
      return raiseArgument(L, position, 'invalid format')
  }
}

function formatArguments(L: LuaThread, first: number): readonly ReadFormat[] {
  const formats: ReadFormat[] = []
  for (let position = first; position <= lua.lua_gettop(L); position++)
    formats.push(formatArgument(L, position))
  return formats.length === 0 ? ['l'] : formats
}

function read(L: LuaThread, file: LuaFile, first: number): number {
  return readFormats(L, file, formatArguments(L, first))
}

/** Pushes a value for each format, up to the first that fails, which gives nil. */
function readFormats(L: LuaThread, file: LuaFile, formats: readonly ReadFormat[]): number {
  return attempt(L, undefined, () => {
    lua.lua_checkstack(L, formats.length)
    for (const [index, format] of formats.entries()) {
      const value = readOne(file, format)
      if (typeof value === 'number') lua.lua_pushnumber(L, value)
      else if (value !== undefined) lua.lua_pushstring(L, value)
      else {
        lua.lua_pushnil(L)
        return index + 1
      }
    }
    return formats.length
  })
}

function readOne(file: LuaFile, format: ReadFormat): Uint8Array | number | undefined {
  switch (format) {
    case 'n':
      return file.readNumber()
    case 'l':
      return file.readLine(false)
    case 'L':
      return file.readLine(true)
    case 'a':
      return file.readAll()
    default:
      return file.readBytes(format)
  }
}

function pushLines(
  L: LuaThread,
  file: LuaFile,
  options: { readonly closesAtEnd: boolean; readonly first: number },
): number {
  const formats = formatArguments(L, options.first)
  lua.lua_pushcfunction(L, (inner) => {
    openFile(inner, file)
    lua.lua_settop(inner, 0)
    const count = readFormats(inner, file, formats)
    if (options.closesAtEnd && lua.lua_type(inner, 1) === TYPE.nil) file.close()
    return count
  })
  return 1
}

/** file:seek([whence [, offset]]) */
function seek(L: LuaThread): number {
  const file = openFile(L, fileArgument(L, 1))
  const whence = isNilArgument(L, 2) ? 'cur' : textArgument(L, 2)
  const offset = lua.luaL_optinteger(L, 3, 0)
  if (whence !== 'set' && whence !== 'cur' && whence !== 'end')
    return raiseArgument(L, 2, `invalid option '${whence}'`)
  const position = file.seek(whence, offset)
  if (position === undefined) return nilAndMessage(L, 'Invalid argument')
  lua.lua_pushnumber(L, position)
  return 1
}
