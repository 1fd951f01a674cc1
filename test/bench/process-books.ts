/**
 * What the system's books (Linux /proc) say of a process: memory of its own, bytes that it has had written to disk.
 */
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

const MEMORY_LOOK_MS = 100
const SETTLE_LOOK_MS = 500
/** Looks in a row that find nothing written. */
const QUIET_LOOKS = 4
const SETTLE_DEADLINE_MS = 120_000

/**
 * Memory of a process's own, bytes. Pages of files that are mapped, as LevelDB maps its tables, are not counted: they are
 * the system's cache, and it takes them back when it needs them.
 */
export function ownMemoryBytes(pid: number): number {
  return 1024 * numberIn(pid, 'status', /^RssAnon:\s+(\d+) kB$/m)
}

/** The most memory that a process has had with the files that it maps, bytes. */
export function peakWithFilesBytes(pid: number): number {
  return 1024 * numberIn(pid, 'status', /^VmHWM:\s+(\d+) kB$/m)
}

/** Bytes that a process has had written to disk; 0 where its files are in memory. */
export function writtenBytes(pid: number): number {
  return numberIn(pid, 'io', /^write_bytes: (\d+)$/m)
}

function numberIn(pid: number, file: 'status' | 'io', pattern: RegExp): number {
  return Number(pattern.exec(readFileSync(`/proc/${pid}/${file}`, 'latin1'))?.[1])
}

/** The most memory of its own that a process has while it is watched; the system keeps no such figure. */
export class MemoryWatch {
  readonly #pid: number
  readonly #timer: NodeJS.Timeout
  #mostBytes = 0

  constructor(pid: number) {
    this.#pid = pid
    this.#timer = setInterval(() => this.#look(), MEMORY_LOOK_MS)
  }

  /** Ends the watch. @returns the most memory that was seen, bytes */
  stop(): number {
    clearInterval(this.#timer)
    this.#look()
    return this.#mostBytes
  }

  #look(): void {
    try {
      this.#mostBytes = Math.max(this.#mostBytes, ownMemoryBytes(this.#pid))
    } catch {
      // It has just ended.
      clearInterval(this.#timer)
    }
  }
}

/**
 * Waits until a process has had nothing written for two seconds: LevelDB's merges have come to rest.
 *
 * @returns all bytes that it has had written
 */
export async function settledBytes(pid: number): Promise<number> {
  const endMs = performance.now() + SETTLE_DEADLINE_MS
  let before = writtenBytes(pid)
  for (let quiet = 0; quiet < QUIET_LOOKS && performance.now() < endMs;) {
    await sleep(SETTLE_LOOK_MS)
    const now = writtenBytes(pid)
    quiet = now === before ? quiet + 1 : 0
    before = now
  }
  return before
}
