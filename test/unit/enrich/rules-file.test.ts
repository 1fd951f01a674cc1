import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readPlainRules } from '../../../src/enrich/device/plain-rules.ts'
import { parseRulesFile } from '../../../src/enrich/device/rules-file.ts'

describe('a rules file', () => {
  it('is read alike in the usual layout and in any other that YAML allows', () => {
    const usual = `# comment
os_parsers:
  # another
  - regex: '(It''s)/(\\d+)'  # said so
    os_replacement: 'Its OS'

  - regex: 'B'
    os_v1_replacement: '7'
`
    const other = `---
os_parsers: [ { regex: "(It's)/(\\\\d+)", os_replacement: Its OS }, { regex: B, os_v1_replacement: 7 } ]
`
    assert.notEqual(readPlainRules(usual), undefined)
    assert.equal(readPlainRules(other), undefined)
    const rules = parseRulesFile({ file: 'usual', text: usual })
    assert.deepEqual(rules, parseRulesFile({ file: 'other', text: other }))
    assert.deepEqual(rules.os, [
      {
        regex: String.raw`(It's)/(\d+)`,
        ignoreCase: false,
        replacements: ['Its OS', undefined, undefined, undefined, undefined],
      },
      { regex: 'B', ignoreCase: false, replacements: [undefined, '7', undefined, undefined, undefined] },
    ])
    assert.deepEqual(rules.device, [])
  })

  it('may be empty, or have empty lists', () => {
    for (const text of ['', '# nothing\n', 'os_parsers:\n', 'os_parsers: []\n']) {
      assert.deepEqual(parseRulesFile({ file: 'rules', text }), { userAgent: [], os: [], device: [] })
    }
  })

  it('may have Windows line ends', () => {
    const rules = parseRulesFile({
      file: 'rules',
      text: "os_parsers:\r\n  - regex: 'A'\r\n    os_replacement: 'B'\r\n",
    })
    assert.deepEqual(
      rules.os.map(({ regex, replacements }) => [regex, replacements[0]]),
      [['A', 'B']],
    )
  })

  const faults: Readonly<Record<string, readonly [text: string, reason: RegExp]>> = {
    'no YAML': ['os_parsers: [', /rules\.yaml: .*line 1/s],
    'a key twice': ["os_parsers:\n  - regex: 'A'\n    regex: 'B'\n", /rules\.yaml: .*unique/is],
    'a list instead of a map': ['- a\n', /rules\.yaml: it must be a map/],
    'an unknown list': [
      "browser_parsers:\n  - regex: 'A'\n",
      /there is no list browser_parsers; lists are user_agent_parsers/,
    ],
    'a list that is none': ['os_parsers: text\n', /os_parsers must be a list/],
    'an entry that is none': ['os_parsers: [text]\n', /os_parsers, entry 1: it must be a map/],
    'an unknown key': [
      "os_parsers:\n  - regex: 'A'\n    familly: 'B'\n",
      /os_parsers, entry 1: there is no key familly/,
    ],
    'a key of another list': [
      "os_parsers:\n  - regex: 'A'\n    brand_replacement: 'B'\n",
      /there is no key brand_replacement/,
    ],
    'no regex': ["device_parsers:\n  - brand_replacement: 'B'\n", /device_parsers, entry 1: it has no regex/],
    'a wrong regex': [
      "os_parsers:\n  - regex: 'A'\n  - regex: '(B'\n",
      /os_parsers, entry 2: Invalid regular expression/,
    ],
    'a wrong flag': ["os_parsers:\n  - regex: 'A'\n    regex_flag: 'x'\n", /regex_flag is "x"/],
    'a value that is no text': [
      'os_parsers:\n  - regex: A\n    os_replacement: [B]\n',
      /os_replacement must be a text/,
    ],
  }
  for (const [fault, [text, reason]] of Object.entries(faults)) {
    it(`is refused with list, entry and reason when it has ${fault}`, () => {
      assert.throws(() => parseRulesFile({ file: 'rules.yaml', text }), {
        code: 'TRK_REGEXES_INVALID',
        message: reason,
      })
    })
  }
})
