/**
 * Durations as the configuration writes them. Pure.
 */

const DURATION = /^(\d{1,3})(?::([0-5]?\d))?(?::([0-5]?\d))?$/

/**
 * Seconds of a duration written `h[h][:mm][:ss]`: "10" is ten hours, "0:30" half an hour, "00:00:01" one second.
 * undefined when it is written otherwise.
 */
export function parseDuration(text: string): number | undefined {
  const parts = DURATION.exec(text.trim())
  if (parts === null) return undefined
  const [, hours = '0', minutes = '0', seconds = '0'] = parts
  return Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)
}
