/**
 * Processor time of another process, from the system's books (Linux /proc): per thread by its name, so that a
 * figure says which part of the server to look at.
 */
import { readdirSync, readFileSync } from 'node:fs'

/** Microseconds of processor time since the process began, by kind of thread. */
export type ThreadTimes = ReadonlyMap<string, number>

/** Names that Node gives its threads, as the table shows them. */
const KINDS: readonly (readonly [pattern: RegExp, kind: string])[] = [
  [/^MainThread$|^node$/, 'main'],
  [/^policy/, 'policy'],
  [/^store/, 'store'],
  [/^V8Worker|^DelayedTask/, 'v8'],
  [/^libuv/, 'libuv'],
]

export function threadTimes(pid: number): ThreadTimes {
  const times = new Map<string, number>()
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    try {
      const folder = `/proc/${pid}/task/${task}`
      const kind = kindOf(readFileSync(`${folder}/comm`, 'utf8').trim())
      // Nanoseconds on a processor, the first of three numbers.
      const nanoseconds = Number(readFileSync(`${folder}/schedstat`, 'utf8').split(' ', 1)[0])
      times.set(kind, (times.get(kind) ?? 0) + nanoseconds / 1000)
    } catch {
      // A thread that has just ended.
    }
  }
  return times
}

/** Microseconds between two looks. */
export function timesBetween(before: ThreadTimes, after: ThreadTimes): ThreadTimes {
  return new Map(Array.from(after, ([kind, time]) => [kind, time - (before.get(kind) ?? 0)]))
}

function kindOf(name: string): string {
  return KINDS.find(([pattern]) => pattern.test(name))?.[1] ?? 'other'
}
