/**
 * What the rules say about a user agent, exactly as uap-core defines it. Pure; on policy workers.
 *
 * Rules: https://github.com/ua-parser/uap-core/blob/master/docs/specification.md
 */
import type { RuleList, RuleMatch } from './rule-list.ts'

/** Rules ready for use. */
export interface DeviceRules {
  readonly userAgent: RuleList
  readonly os: RuleList
  readonly device: RuleList
}

/** Absent where nothing is known. */
export interface UserAgentMatch {
  readonly userAgent: {
    /** `Other` when no rule matches. */
    readonly family: string
    readonly major: string | undefined
    readonly minor: string | undefined
    readonly patch: string | undefined
  }
  readonly os: {
    /** `Other` when no rule matches. */
    readonly family: string
    readonly major: string | undefined
    readonly minor: string | undefined
    readonly patch: string | undefined
    readonly patchMinor: string | undefined
  }
  readonly device: {
    /** `Other` when no rule matches. */
    readonly family: string
    readonly brand: string | undefined
    readonly model: string | undefined
  }
}

/** The family that means: no rule matches. */
export const OTHER = 'Other'

/** Browser or application, operating system and device of a user-agent string, by the first rule of each list that matches. */
export function matchUserAgent(rules: DeviceRules, userAgent: string): UserAgentMatch {
  const agent = rules.userAgent.firstMatch(userAgent)
  const os = rules.os.firstMatch(userAgent)
  const device = rules.device.firstMatch(userAgent)
  return {
    userAgent: {
      family: field(agent, 0, 1) ?? OTHER,
      major: field(agent, 1, 2),
      minor: field(agent, 2, 3),
      patch: field(agent, 3, 4),
    },
    os: {
      family: field(os, 0, 1) ?? OTHER,
      major: field(os, 1, 2),
      minor: field(os, 2, 3),
      patch: field(os, 3, 4),
      patchMinor: field(os, 4, 5),
    },
    device: {
      family: field(device, 0, 1) ?? OTHER,
      brand: field(device, 1, undefined),
      model: field(device, 2, 1),
    },
  }
}

/** The rule's replacement with its groups filled in, else the group that is the field's default. */
function field(
  match: RuleMatch | undefined,
  replacement: number,
  defaultGroup: number | undefined,
): string | undefined {
  if (match === undefined) return undefined
  const { rule, groups } = match
  const template = rule.replacements[replacement]
  const group = defaultGroup === undefined ? undefined : groups[defaultGroup]
  const value = template
    ? template.replaceAll(/\$([1-9])/g, (_, digit: string) => groups[Number(digit)] ?? '')
    : group
  const trimmed = value?.trim()
  return trimmed === '' ? undefined : trimmed
}
