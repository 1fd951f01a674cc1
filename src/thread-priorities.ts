/**
 * Which threads wait when all cores are busy. Senders wait for the main thread and the store thread; nobody waits for a
 * policy to run, nor for V8's own threads, which collect garbage and compile. Linux has a priority for each thread; elsewhere,
 * and where the system allows no change, everything works as well. Main thread, and policy workers for themselves.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { getPriority, setPriority } from 'node:os'

const TASKS = '/proc/self/task'
const V8_THREAD = 'V8Worker'
/** Added to the nice value that the server was started with: 5 is a third of the processor time of those at 0, 10 a tenth. */
const LOWER_BY = { v8: 10, policy: 5 } as const
const LOWEST = 19
/** The thread that asks. */
const SELF = 0

/** Lets V8's threads wait for others; they are there from the start of the process on. */
export function lowerV8Threads(): void {
  quietly(() => {
    for (const task of readdirSync(TASKS)) {
      if (readFileSync(`${TASKS}/${task}/comm`, 'latin1').trim() === V8_THREAD)
        lower(Number(task), LOWER_BY.v8)
    }
  })
}

/** Lets the policy worker wait that this is called on. */
export function lowerPolicyThread(): void {
  quietly(() => lower(SELF, LOWER_BY.policy))
}

function lower(thread: number, by: number): void {
  setPriority(thread, Math.min(LOWEST, getPriority(thread) + by))
}

function quietly(change: () => void): void {
  // Elsewhere a priority is that of the whole process.
  if (process.platform !== 'linux') return
  try {
    change()
  } catch {
    // A container may forbid it, or a thread may have ended.
  }
}
