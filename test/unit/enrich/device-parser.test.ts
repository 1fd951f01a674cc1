import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createDeviceParser } from '../../../src/enrich/device/device-parser.ts'
import { createRuleList, type UserAgentRule } from '../../../src/enrich/device/rule-list.ts'

function rule(regex: string, ...replacements: readonly string[]): UserAgentRule {
  return { regex, ignoreCase: false, replacements }
}

const rules = {
  userAgent: createRuleList([rule(String.raw`(Falcon)/(\d+)\.(\d+)`)]),
  os: createRuleList([rule(String.raw`(Tidal) (\d+)`)]),
  device: createRuleList([rule('(Slate)', 'Acme $1', 'Acme', 'S1')]),
}
const devices = createDeviceParser(rules)

describe('the attributes of a device', () => {
  const cases: readonly (readonly [protocols: readonly string[], deviceId: string, attributes: object])[] = [
    [
      ['http', 'https'],
      'Falcon/3.14 (Tidal 7; Slate)',
      {
        'device.family': 'Acme Slate',
        'device.model': 'S1',
        'device.brand': 'Acme',
        'os.family': 'Tidal',
        'os.major': '7',
        'os.minor': '',
        'browser.family': 'Falcon',
        'browser.major': '3',
        'browser.minor': '14',
      },
    ],
    [
      ['http', 'https'],
      '',
      {
        'device.family': 'Other',
        'device.model': '',
        'device.brand': '',
        'os.family': 'Other',
        'os.major': '',
        'os.minor': '',
        'browser.family': 'Other',
        'browser.major': '',
        'browser.minor': '',
      },
    ],
    [
      ['imap', 'imaps'],
      '"name" "Mac OS X Mail" "version" "10.0 (3226)" "os" "Mac OS X" "os-version" "10.12 (16A323)" "vendor" "Apple Inc."',
      {
        'imapc.family': 'Mac OS X Mail',
        'imapc.major': '10',
        'imapc.minor': '0',
        'os.family': 'Mac OS X',
        'os.major': '10',
        'os.minor': '12',
      },
    ],
    [
      ['imap', 'imaps'],
      '',
      {
        'imapc.family': '',
        'imapc.major': '',
        'imapc.minor': '',
        'os.family': '',
        'os.major': '',
        'os.minor': '',
      },
    ],
    [
      ['mobileapi'],
      'OpenXchange.iOS.Mail/1.0.3 (OS: 10.0.3; device: iPhone 7 Plus)',
      {
        'app.name': 'Mail',
        'app.brand': 'OpenXchange',
        'app.major': '1',
        'app.minor': '0',
        'os.family': 'iOS',
        'os.major': '10',
        'os.minor': '0',
        'device.family': 'iPhone 7 Plus',
      },
    ],
    [
      ['mobileapi'],
      'OpenXchange.Android.Mail/1.0+1234 (OS: 14; device: Samsung/GT9700)',
      {
        'app.name': 'Mail',
        'app.brand': 'OpenXchange',
        'app.major': '1',
        'app.minor': '0',
        'os.family': 'Android',
        'os.major': '14',
        'os.minor': '',
        'device.family': 'Samsung/GT9700',
      },
    ],
    [['pop3', 'smtp', '', 'toString', '__proto__'], 'Falcon/3.14 (Tidal 7; Slate)', {}],
  ]
  for (const [protocols, deviceId, attributes] of cases) {
    for (const protocol of protocols) {
      it(`of ${protocol || 'no protocol'} ${JSON.stringify(deviceId)} are as the manual says`, () => {
        const parsed = devices.parse(deviceId, protocol)
        assert.deepEqual({ ...parsed }, attributes)
        assert.equal(Object.getPrototypeOf(parsed), null)
      })
    }
  }

  it('cannot be changed by whoever gets them, since others get them too', () => {
    assert.ok(Object.isFrozen(devices.parse('Falcon/3.14', 'http')))
    assert.equal(devices.parse('Falcon/3.14', 'http'), devices.parse('Falcon/3.14', 'https'))
  })

  it('come from ua-parser-js where no rule knows browser, system or device', () => {
    const parsed = devices.parse(
      'Mozilla/5.0 (Linux; Android 13; SM-S908B) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/112.0.0.0 Mobile Safari/537.36',
      'http',
    )
    assert.equal(parsed['browser.family'], 'Chrome')
    assert.equal(parsed['browser.major'], '112')
    assert.equal(parsed['os.family'], 'Android')
    assert.equal(parsed['os.major'], '13')
    assert.equal(parsed['device.family'], 'Samsung SM-S908B')
    assert.equal(parsed['device.brand'], 'Samsung')
    assert.equal(parsed['device.model'], 'SM-S908B')
  })

  it('depend on no more of the text than maxInputLength', () => {
    const short = createDeviceParser(rules, { maxInputLength: 12 })
    assert.equal(short.parse('Falcon/3.14 (Tidal 7)', 'http')['browser.family'], 'Falcon')
    assert.equal(short.parse('Falcon/3.14 (Tidal 7)', 'http')['os.family'], 'Other')
    assert.equal(short.parse('"name" "Claws Mail"', 'imap')['imapc.family'], 'Claw')
  })

  it('stay right when the cache forgets', () => {
    const forgetful = createDeviceParser(rules, { cacheEntries: 1 })
    for (const version of ['1', '2', '1', '2']) {
      assert.equal(forgetful.parse(`Falcon/${version}.0`, 'http')['browser.major'], version)
    }
  })
})
