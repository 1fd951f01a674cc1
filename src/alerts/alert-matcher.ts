/**
 * Which alerts a route, a silence or a maintenance window is about. Pure; main thread.
 */
import type { Alert } from './alert.ts'
import { severityRank, type Severity } from './severity.ts'

/** What is looked at. */
export type AlertFacts = Pick<Alert, 'rule' | 'key' | 'severity'>

/** Everything that is given must fit. In rule and key `*` stands for any text and `?` for any one character. */
export interface AlertPattern {
  readonly rule?: string
  readonly key?: string
  readonly leastSeverity?: Severity
  readonly mostSeverity?: Severity
}

export type AlertMatcher = (facts: AlertFacts) => boolean

export function createMatcher(pattern: AlertPattern): AlertMatcher {
  const matchesRule = createGlob(pattern.rule)
  const matchesKey = createGlob(pattern.key)
  const least = severityRank(pattern.leastSeverity ?? 'info')
  const most = severityRank(pattern.mostSeverity ?? 'critical')
  return ({ rule, key, severity }) => {
    const rank = severityRank(severity)
    return rank >= least && rank <= most && matchesRule(rule) && matchesKey(key)
  }
}

/** A text of up to 1 KiB and a pattern of a few stars: no backtracking over more than the last star. */
export function createGlob(pattern: string | undefined): (text: string) => boolean {
  if (pattern === undefined || pattern === '*') return () => true
  if (!/[*?]/.test(pattern)) return (text) => text === pattern
  return (text) => globMatches(pattern, text)
}

function globMatches(pattern: string, text: string): boolean {
  let at = 0
  let inText = 0
  /** Where to go on when what follows the last star does not fit: with one more character for the star. */
  let star: { readonly at: number; inText: number } | undefined
  while (inText < text.length) {
    const wanted = pattern[at]
    if (wanted === '*') {
      star = { at, inText }
      at++
    } else if (wanted === '?' || wanted === text[inText]) {
      at++
      inText++
    } else if (star !== undefined) {
      star.inText++
      inText = star.inText
      at = star.at + 1
    } else {
      return false
    }
  }
  while (pattern[at] === '*') at++
  return at === pattern.length
}
