/**
 * Times for people, in UTC. Pure.
 */

/** `2026-01-05 09:00:00` of Unix seconds. */
export function utcTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 19).replace('T', ' ')
}
