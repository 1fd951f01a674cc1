import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import { loadDeviceRules } from '../../../src/enrich/device/device-rules.ts'
import { matchUserAgent } from '../../../src/enrich/device/match-user-agent.ts'
import { readPlainRules } from '../../../src/enrich/device/plain-rules.ts'
import { parseRulesFile } from '../../../src/enrich/device/rules-file.ts'

const folder = mkdtempSync(join(tmpdir(), 'trackalert-rules-'))
after(() => rmSync(folder, { recursive: true }))

const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0'

describe('loading the device rules', () => {
  it("tries the operator's rules first, and then uap-core's", () => {
    const file = join(folder, 'own.yaml')
    writeFileSync(
      file,
      "user_agent_parsers:\n  - regex: 'Firefox/(128)'\n    family_replacement: 'House Browser'\n    v1_replacement: '$1'\n",
    )
    const rules = loadDeviceRules({ ownRulesFile: file })
    assert.equal(matchUserAgent(rules, FIREFOX).userAgent.family, 'House Browser')
    assert.equal(matchUserAgent(rules, FIREFOX.replaceAll('128', '127')).userAgent.family, 'Firefox')
    assert.equal(matchUserAgent(rules, FIREFOX).os.family, 'Linux')
  })

  it('can leave out either', () => {
    const none = loadDeviceRules({ ownRulesFile: undefined, coreRules: false })
    assert.equal(matchUserAgent(none, FIREFOX).userAgent.family, 'Other')
    const core = loadDeviceRules({ ownRulesFile: undefined })
    assert.equal(matchUserAgent(core, FIREFOX).userAgent.family, 'Firefox')
  })

  it('fails with the path of a file that cannot be read', () => {
    const file = join(folder, 'missing.yaml')
    assert.throws(() => loadDeviceRules({ ownRulesFile: file }), {
      code: 'TRK_REGEXES_INVALID',
      message: /ENOENT.*missing\.yaml/,
    })
  })

  it('fails with file, list, entry and reason of a wrong rule', () => {
    const file = join(folder, 'wrong.yaml')
    writeFileSync(file, "os_parsers:\n  - regex: 'fine'\n  - regex: '*'\n")
    assert.throws(() => loadDeviceRules({ ownRulesFile: file }), {
      code: 'TRK_REGEXES_INVALID',
      message: /wrong\.yaml: os_parsers, entry 2: Invalid regular expression.*Nothing to repeat/,
    })
  })
})

describe("uap-core's rules file", () => {
  const path = fileURLToPath(import.meta.resolve('uap-core/regexes.yaml'))
  const text = readFileSync(path, 'utf8')

  it('is read without the YAML parser, and as that would read it', () => {
    assert.deepEqual(readPlainRules(text), parse(text))
  })

  it('has only valid patterns', () => {
    const rules = parseRulesFile({ file: path, text }, { checkPatterns: true })
    assert.ok(rules.userAgent.length > 300 && rules.os.length > 150 && rules.device.length > 600)
  })
})

it('our rules file is read without the YAML parser, and as that would read it', () => {
  const text = readFileSync(new URL('../../../regexes.yaml', import.meta.url), 'utf8')
  assert.deepEqual(readPlainRules(text), parse(text))
})
