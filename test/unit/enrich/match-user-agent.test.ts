import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { matchUserAgent, type UserAgentMatch } from '../../../src/enrich/device/match-user-agent.ts'
import { createRuleList } from '../../../src/enrich/device/rule-list.ts'
import { parseRulesFile } from '../../../src/enrich/device/rules-file.ts'

const RULES = `
user_agent_parsers:
  - regex: '(Minefield|Shiretoko)/(\\d+)\\.(\\d+)\\.(\\d+(?:pre)?)'
    family_replacement: 'Firefox ($1)'
  - regex: '(Firefox)/(\\d+)\\.(\\d+)'
  - regex: 'Special Firefox'
    family_replacement: 'never reached when there is a version'
  - regex: 'Old Outlook (\\d\\d)'
    family_replacement: 'Outlook'
    v1_replacement: '20$1'
    v2_replacement: '$1'
  - regex: '(spaced )x(?:/(\\d+)|)'
  - regex: '^()nameless'
os_parsers:
  - regex: 'Win(95|98|NT)'
    os_replacement: 'Windows $1'
  - regex: '(Tidal) (\\d+)\\.(\\d+)\\.(\\d+)\\.(\\d+)'
device_parsers:
  - regex: '; *(PEDI)_(PLUS)_(W) Build'
    device_replacement: 'Odys $1 $2 $3'
    brand_replacement: 'Odys'
    model_replacement: '$1 $2 $3'
  - regex: 'phone-([a-z]+)'
    regex_flag: 'i'
  - regex: 'gap (a)?(b)'
    device_replacement: ' $1 $2$9 '
    brand_replacement: '$1'
`

const file = parseRulesFile({ file: 'rules', text: RULES })
const rules = {
  userAgent: createRuleList(file.userAgent),
  os: createRuleList(file.os),
  device: createRuleList(file.device),
}
const match = (text: string): UserAgentMatch => matchUserAgent(rules, text)

describe('a user agent', () => {
  it('is Other in everything when no rule matches', () => {
    assert.deepEqual(match('nothing known'), {
      userAgent: { family: 'Other', major: undefined, minor: undefined, patch: undefined },
      os: { family: 'Other', major: undefined, minor: undefined, patch: undefined, patchMinor: undefined },
      device: { family: 'Other', brand: undefined, model: undefined },
    })
  })

  const agents: Readonly<Record<string, readonly [string, string?, string?, string?]>> = {
    'Gecko Minefield/4.0.1pre': ['Firefox (Minefield)', '4', '0', '1pre'],
    'Special Firefox/12.5': ['Firefox', '12', '5'],
    'Old Outlook 07': ['Outlook', '2007', '07'],
    'spaced x/3': ['spaced', '3'],
    'spaced x': ['spaced'],
    nameless: ['Other'],
    'firefox/12.5': ['Other'],
  }
  for (const [text, [family, major, minor, patch]] of Object.entries(agents)) {
    it(`${text} is ${family} ${[major, minor, patch].filter(Boolean).join('.')}`, () => {
      assert.deepEqual(match(text).userAgent, { family, major, minor, patch })
    })
  }

  it('has the system of the first rule that matches, with up to four version numbers', () => {
    assert.equal(match('Mozilla (Win95; Tidal 1.2.3.4)').os.family, 'Windows 95')
    assert.equal(match('Mozilla (Win95; Tidal 1.2.3.4)').os.major, undefined)
    assert.deepEqual(match('Tidal 1.2.3.4').os, {
      family: 'Tidal',
      major: '1',
      minor: '2',
      patch: '3',
      patchMinor: '4',
    })
  })

  it('has a device with brand and model from any group, trimmed, and none for a group without text', () => {
    assert.deepEqual(match('(Linux; PEDI_PLUS_W Build/J)').device, {
      family: 'Odys PEDI PLUS W',
      brand: 'Odys',
      model: 'PEDI PLUS W',
    })
    assert.deepEqual(match('gap b').device, { family: 'b', brand: undefined, model: undefined })
    assert.deepEqual(match('gap ab').device, { family: 'a b', brand: 'a', model: 'a' })
  })

  it('is matched without regard to letter case only where the rule says so', () => {
    assert.deepEqual(match('PHONE-Zeta').device, { family: 'Zeta', brand: undefined, model: 'Zeta' })
  })
})
