/**
 * The time that one step of expiry, eviction or erasing may take on the store thread: it joins a batch, and everybody in that
 * batch waits for it. Counted in time and not in rows, since a row may be in memory or in a table, small or large.
 */

/** A row that takes long to read, and what is written for it, come on top. */
const STEP_MS = 3

export interface StepBudget {
  /** True once the step should end. */
  readonly isSpent: () => boolean
}

/** @param now - milliseconds of a clock that only goes forward */
export function startBudget(now: () => number): StepBudget {
  const endMs = now() + STEP_MS
  return { isSpent: () => now() >= endMs }
}
