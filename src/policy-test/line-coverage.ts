/**
 * Which lines of Lua ran: what the engine's line hook tells, against the lines that have code. Pure but for compiling
 * sources in a Lua state of its own; lives on the thread that runs the tests.
 */
import { bytesToText } from '../login/byte-string.ts'
import { engine, lua } from '../lua/fengari.ts'
import type { LuaClosure, LuaPrototype } from '../lua/fengari-types.ts'
import { loadSource } from '../lua/load-chunk.ts'

/** A line of nothing but the end of a block: an instruction there says nothing that the block does not say. */
const ONLY_ENDS = /^\s*(?:else|end[\s)},;]*)+(?:--.*)?$/

export interface FileCoverage {
  readonly file: string
  /** How often each line that has code ran, in the order of lines. */
  readonly lines: ReadonlyMap<number, number>
}

export class LineCounter {
  readonly #byChunk = new Map<string, Map<number, number>>()
  /** The engine hands over the same array for a chunk each time: a name is read once. */
  readonly #known = new WeakMap<Uint8Array, Map<number, number>>()

  readonly onLine = (chunkName: Uint8Array, line: number): void => {
    let counts = this.#known.get(chunkName)
    if (counts === undefined) {
      const name = bytesToText(chunkName)
      counts = this.#byChunk.get(name) ?? new Map<number, number>()
      this.#byChunk.set(name, counts)
      this.#known.set(chunkName, counts)
    }
    counts.set(line, (counts.get(line) ?? 0) + 1)
  }

  /** Files of which a line ran. */
  files(): readonly string[] {
    return [...this.#byChunk.keys()].filter((name) => name.startsWith('@')).map((name) => name.slice(1))
  }

  /** @param source - what the file holds; lines count as not run when the file was never loaded */
  coverageOf(file: string, source: Uint8Array): FileCoverage {
    const counts = this.#byChunk.get(`@${file}`)
    const lines = linesWithCode(source).map((line) => [line, counts?.get(line) ?? 0] as const)
    return { file, lines: new Map(lines) }
  }
}

/** Lines that have an instruction, without those that only close a block. Empty when the source does not compile. */
function linesWithCode(source: Uint8Array): readonly number[] {
  const state = lua.luaL_newstate()
  if (!loadSource(state, source, 'coverage')) return []
  const closure = lua.lua_topointer(state, -1)
  if (!(closure instanceof engine.LClosure)) return []
  const lines = new Set<number>()
  collect(closure, lines)
  const texts = bytesToText(source).split('\n')
  return [...lines].filter((line) => !ONLY_ENDS.test(texts[line - 1] ?? '')).toSorted((a, b) => a - b)
}

function collect({ p }: Pick<LuaClosure, 'p'>, lines: Set<number>): void {
  const open: LuaPrototype[] = [p]
  for (const prototype of open) {
    // The last instruction is the return that every function ends with, whether it is reached or not.
    for (const line of prototype.lineinfo.slice(0, -1)) lines.add(line)
    open.push(...prototype.p)
  }
}

export function coveredLines({ lines }: FileCoverage): number {
  return [...lines.values()].filter((count) => count > 0).length
}

/** `12, 20-23`: lines that never ran; those between two of them that have no code belong to the range. */
export function uncoveredRanges({ lines }: FileCoverage): string {
  const ranges: (readonly [from: number, to: number])[] = []
  let open: readonly [from: number, to: number] | undefined
  for (const [line, count] of lines) {
    if (count > 0) {
      if (open !== undefined) ranges.push(open)
      open = undefined
    } else {
      open = [open?.[0] ?? line, line]
    }
  }
  if (open !== undefined) ranges.push(open)
  return ranges.map(([from, to]) => (from === to ? String(from) : `${from}-${to}`)).join(', ')
}

/** The text of an LCOV file, which editors and build servers read. */
export function lcovOf(files: readonly FileCoverage[]): string {
  return files
    .flatMap((file) => [
      'TN:',
      `SF:${file.file}`,
      ...[...file.lines].map(([line, count]) => `DA:${line},${count}`),
      `LF:${file.lines.size}`,
      `LH:${coveredLines(file)}`,
      'end_of_record\n',
    ])
    .join('\n')
}
