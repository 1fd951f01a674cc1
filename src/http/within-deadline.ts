/**
 * Waiting with an end. Pure; used on the threads that take requests.
 */

/**
 * The value of a promise, or undefined when the time is up first; what the promise does afterwards is not looked at.
 *
 * @param onLate is called when the time is up, to stop the work.
 */
export async function withinDeadline<T extends object>(
  promise: Promise<T>,
  deadlineMs: number,
  onLate?: () => void,
): Promise<T | undefined> {
  const { promise: late, resolve } = Promise.withResolvers<undefined>()
  const timer = setTimeout(() => {
    resolve(undefined)
    onLate?.()
  }, deadlineMs)
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
