/**
 * What one line of the console may use. Plain data, for the thread that runs lines and for the one that watches it.
 */

export const LINE_LIMITS = {
  /** Of processor time, milliseconds. */
  cpuMs: 2_000,
  /** From start to end, waiting included, milliseconds. */
  wallMs: 30_000,
} as const
