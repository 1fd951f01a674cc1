/**
 * What the process ends with; trackalert(1) lists it. Pure.
 */
export const EXIT = {
  ok: 0,
  /** The server could not start, a command failed, the configuration has mistakes. */
  failed: 1,
  usage: 2,
  /** There is no server to talk to, or it does not take the key. */
  unreachable: 3,
} as const

export type ExitStatus = (typeof EXIT)[keyof typeof EXIT]
