/**
 * Waiting with an end. Pure; used on the threads that take requests.
 */

/** Nothing came in time. */
export const LATE = Symbol('late')

/**
 * The value of a promise, or LATE when the time is up first; what the promise does afterwards is not looked at.
 *
 * @param onLate is called when the time is up, to stop the work.
 */
export async function withinDeadline<T>(
  promise: Promise<T>,
  deadlineMs: number,
  onLate?: () => void,
): Promise<T | typeof LATE> {
  const { promise: late, resolve } = Promise.withResolvers<typeof LATE>()
  const timer = setTimeout(() => {
    resolve(LATE)
    onLate?.()
  }, deadlineMs)
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
