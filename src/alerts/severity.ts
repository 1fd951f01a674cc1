/**
 * How bad an alert is. Pure; used on every thread.
 */

/** From the least to the worst; the place in this list is what is compared and stored. */
export const SEVERITIES = ['info', 'low', 'medium', 'high', 'critical'] as const

export type Severity = (typeof SEVERITIES)[number]

export function isSeverity(text: unknown): text is Severity {
  return SEVERITIES.some((severity) => severity === text)
}

/** 0 for info to 4 for critical. */
export function severityRank(severity: Severity): number {
  return SEVERITIES.indexOf(severity)
}

export function worseOf(a: Severity, b: Severity): Severity {
  return severityRank(a) >= severityRank(b) ? a : b
}
