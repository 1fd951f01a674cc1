/**
 * An ordered list of user-agent rules of which the first that matches counts. Belongs to one policy worker; patterns
 * are compiled when they are first tried, since most never are.
 */
import { createTextIndex } from './text-index.ts'

/** One entry of a rules file. */
export interface UserAgentRule {
  /** Pattern as in the file. */
  readonly regex: string
  readonly ignoreCase: boolean
  /** What stands in place of the captured groups, in the order of the list's fields; undefined keeps the group. */
  readonly replacements: readonly (string | undefined)[]
}

export interface RuleMatch {
  readonly rule: UserAgentRule
  /** The whole match, then the groups. */
  readonly groups: readonly (string | undefined)[]
}

export interface RuleList {
  readonly size: number
  firstMatch(input: string): RuleMatch | undefined
}

/** @param rules with valid patterns */
export function createRuleList(rules: readonly UserAgentRule[]): RuleList {
  const index = createTextIndex(rules.map((rule) => rule.regex))
  const compiled: (RegExp | undefined)[] = rules.map(() => undefined)
  return {
    size: rules.length,
    firstMatch(input) {
      for (const position of index.candidates(input)) {
        const rule = rules[position]
        if (rule === undefined) continue
        const pattern = (compiled[position] ??= new RegExp(rule.regex, rule.ignoreCase ? 'i' : ''))
        const groups = pattern.exec(input)
        if (groups !== null) return { rule, groups }
      }
      return undefined
    },
  }
}
