import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import { loadDeviceRules } from '../../../src/enrich/device/device-rules.ts'
import { matchUserAgent, type UserAgentMatch } from '../../../src/enrich/device/match-user-agent.ts'
import type { RuleList, UserAgentRule } from '../../../src/enrich/device/rule-list.ts'
import { parseRulesFile } from '../../../src/enrich/device/rules-file.ts'

/** The case files of uap-core, and the fields of a case beside its user agent. */
const FILES = [
  { file: 'test_ua.yaml', list: 'userAgent', fields: ['family', 'major', 'minor', 'patch'] },
  { file: 'test_os.yaml', list: 'os', fields: ['family', 'major', 'minor', 'patch', 'patch_minor'] },
  { file: 'test_device.yaml', list: 'device', fields: ['family', 'brand', 'model'] },
] as const

type Case = Readonly<Record<string, string | null>>

const shared = fileURLToPath(new URL('../../../../shared/data/uap/', import.meta.url))
const options = existsSync(shared) ? {} : { skip: 'the folder ../shared/data/uap is absent' }

function casesOf(file: string): readonly Case[] {
  const document: unknown = parse(readFileSync(shared + file, 'utf8'))
  assert.ok(isCaseFile(document))
  return document.test_cases
}

function isCaseFile(document: unknown): document is { readonly test_cases: readonly Case[] } {
  return typeof document === 'object' && document !== null && 'test_cases' in document
}

describe("uap-core's own cases", () => {
  // The cases are newer than the release of uap-core: about sixty expect rules that it does not have, and ours has.
  const ownRulesFile = fileURLToPath(new URL('../../../regexes.yaml', import.meta.url))
  const rules = loadDeviceRules({ ownRulesFile })
  for (const { file, list, fields } of FILES) {
    it(`come out right: ${file}`, options, () => {
      for (const one of casesOf(file)) {
        const userAgent = one['user_agent_string'] ?? ''
        const result = new Map(Object.entries(matchUserAgent(rules, userAgent)[list]))
        const actual = fields.map((field) => result.get(field === 'patch_minor' ? 'patchMinor' : field))
        assert.deepEqual(
          actual,
          fields.map((field) => one[field] || undefined),
          userAgent,
        )
      }
    })
  }

  it('have the same results without the index of the rules', options, () => {
    const path = fileURLToPath(import.meta.resolve('uap-core/regexes.yaml'))
    const file = parseRulesFile({ file: path, text: readFileSync(path, 'utf8') })
    const indexed = loadDeviceRules({ ownRulesFile: undefined })
    const naive = {
      userAgent: withoutIndex(file.userAgent),
      os: withoutIndex(file.os),
      device: withoutIndex(file.device),
    }
    const userAgents = FILES.flatMap(({ file: cases }) =>
      casesOf(cases).map((one) => one['user_agent_string'] ?? ''),
    )
    assert.ok(userAgents.length > 1000)
    const differing = userAgents.filter((userAgent) => {
      const [a, b]: readonly UserAgentMatch[] = [
        matchUserAgent(indexed, userAgent),
        matchUserAgent(naive, userAgent),
      ]
      return JSON.stringify(a) !== JSON.stringify(b)
    })
    assert.deepEqual(differing, [])
  })
})

/** Tries one rule after the other, as the specification says. */
function withoutIndex(rules: readonly UserAgentRule[]): RuleList {
  const patterns = rules.map((rule) => ({
    rule,
    pattern: new RegExp(rule.regex, rule.ignoreCase ? 'i' : ''),
  }))
  return {
    size: rules.length,
    firstMatch(input) {
      for (const { rule, pattern } of patterns) {
        const groups = pattern.exec(input)
        if (groups !== null) return { rule, groups }
      }
      return undefined
    },
  }
}
