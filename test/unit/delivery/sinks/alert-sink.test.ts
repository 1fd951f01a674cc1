import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import { test } from 'node:test'
import { parseAlertSink } from '../../../../src/delivery/sinks/alert-sink.ts'
import { LUA_FUNCTION } from '../../../../src/delivery/sinks/sink-function.ts'
import type { SinkKeyValues } from '../../../../src/delivery/sinks/sink-keys.ts'

const MAIL = { host: 'mail.example', from: 'a@b.example', to: 'ops@b.example' }
const MAIL_TO_USERS = { host: 'mail.example', from: 'a@b.example' }
const V3 = { host: 'noc.example', version: '3', user: 'u', authPassword: 'password' }

const GOOD: readonly (readonly [type: string, keys: SinkKeyValues, place: string])[] = [
  [
    'webhook',
    { url: 'https://user:SECRET@h.example/%{YYYY}', secret: 'SECRET' },
    'https://h.example/%{YYYY}',
  ],
  ['email', MAIL, 'mail.example:25'],
  ['email', { ...MAIL, user: 'u', password: 'SECRET' }, 'mail.example:587'],
  ['email', { ...MAIL, tls: 'tls' }, 'mail.example:465'],
  ['email', { ...MAIL, host: '127.0.0.1', tls: 'none', user: 'u', password: 'SECRET' }, '127.0.0.1:587'],
  ['syslog', { host: 'log.example' }, 'udp log.example:514'],
  [
    'syslog',
    { host: ['log.example', '[2001:db8::1]:1514'], transport: 'tls' },
    'tls log.example:6514, [2001:db8::1]:1514',
  ],
  ['snmp', { host: '192.0.2.1', community: 'SECRET' }, 'SNMP v2c 192.0.2.1:162'],
  ['snmp', { ...V3, authPassword: 'SECRET-1', privPassword: 'SECRET-2' }, 'SNMP v3 noc.example:162'],
  ['exec', { argv: ['/bin/true', 'a'] }, '/bin/true'],
  ['webhook', { url: 'http://h.example/', body: LUA_FUNCTION }, 'http://h.example/'],
  ['email', { ...MAIL_TO_USERS, userAddress: LUA_FUNCTION, throttle: 60 }, 'mail.example:25'],
]

for (const [type, keys, place] of GOOD) {
  test(`${type} ${JSON.stringify(keys)} is taken, and no secret of it is shown`, () => {
    const parsed = parseAlertSink('s', type, keys)
    assert.ok(parsed.ok, parsed.ok ? '' : parsed.reason)
    assert.equal(parsed.definition.place, place)
    assert.doesNotMatch(
      inspect(parsed.definition, { depth: null }) + JSON.stringify(parsed.definition),
      /SECRET/,
    )
  })
}

const BAD: readonly (readonly [type: string, keys: SinkKeyValues, what: RegExp])[] = [
  ['mail', {}, /there is no type "mail"; there are webhook, email, syslog, snmp, exec/],
  ['webhook', {}, /the key url is missing/],
  ['webhook', { url: 'ftp://x/' }, /the url ftp:\/\/x\/ must begin with http/],
  ['webhook', { url: 'http://u:SECRET@x y/' }, /contains a blank/],
  [
    'webhook',
    { url: 'http://x/', template: '%{nme}' },
    /template has the unknown macro %\{nme\}; there are %\{id\}/,
  ],
  ['webhook', { url: 'http://x/', template: 'a %{rule' }, /template has the unknown macro %\{rule/],
  ['webhook', { url: 'http://x/', timeout: 0 }, /timeout must be a whole number of seconds from 1 to 300/],
  ['webhook', { url: 'http://x/', 'basic-auth': 'SECRET' }, /basic-auth must be "user:password"/],
  ['webhook', { url: 'http://x/', body: 'text' }, /body must be a function; a text is a template/],
  [
    'webhook',
    { url: 'http://x/', body: LUA_FUNCTION, template: 'x' },
    /body and template do not go together/,
  ],
  ['webhook', { url: LUA_FUNCTION }, /url must be a string/],
  ['email', { ...MAIL, userAddress: LUA_FUNCTION }, /to and userAddress do not go together/],
  ['email', { ...MAIL_TO_USERS, userAddress: LUA_FUNCTION, digest: 60 }, /digest is for to/],
  ['syslog', { host: LUA_FUNCTION }, /host must be a string or an array/],
  ['exec', { argv: '/bin/true', timeout: LUA_FUNCTION }, /timeout must be a whole number/],
  ['email', { ...MAIL, colour: 'red' }, /it knows no key "colour"; it takes user, password, /],
  ['email', { ...MAIL, user: 'u' }, /user and password are only of use together/],
  ['email', { ...MAIL, user: 'u', password: 'SECRET', tls: 'none' }, /a password needs tls = "starttls"/],
  ['email', { ...MAIL, tls: 'ssl' }, /tls must be one of starttls, tls, opportunistic, none/],
  ['email', { ...MAIL, host: 'mail.example:25' }, /host must be a name or an address; the key port/],
  ['email', { ...MAIL, to: 'nobody' }, /to: "nobody" is no address/],
  ['email', { ...MAIL, to: ['a@b.example', 'a@b.example\nBcc: c@d'] }, /to: .* is no address/],
  ['email', { ...MAIL, from: 'a@b.example, c@d.example' }, /from: .* is no address/],
  ['email', { ...MAIL, userAddress: '%{user}@b' }, /to and userAddress do not go together/],
  ['email', { host: 'h', from: 'a@b.example' }, /one of the keys to and userAddress is needed/],
  ['email', { ...MAIL, digest: 1.5 }, /digest must be a whole number of seconds/],
  ['email', { ...MAIL, throttle: 60 }, /throttle is for userAddress/],
  ['email', { ...MAIL, password: 'SECRET\n', user: 'u' }, /password must not contain control characters/],
  ['syslog', {}, /the key host is missing/],
  ['syslog', { host: 'a b' }, /host: "a b" is no HOST or HOST:PORT/],
  ['syslog', { host: 'log:0' }, /is no HOST/],
  ['syslog', { host: [] }, /host must be a string or an array/],
  ['syslog', { host: 'log', facility: 'local8' }, /facility must be one of kern/],
  ['syslog', { host: 'log', ca: 'x.pem' }, /ca is of use only with transport = "tls"/],
  ['syslog', { host: 'log', tag: 'a b' }, /tag must be/],
  ['syslog', { host: 'log', maxBytes: 100 }, /maxBytes must be a whole number of bytes from 480/],
  ['snmp', { host: 'noc', version: '1', inform: true }, /version 1 has none/],
  ['snmp', { host: 'noc', version: '3', community: 'SECRET' }, /community is of versions 1 and 2c/],
  ['snmp', { host: 'noc', version: '3' }, /the key user is missing/],
  ['snmp', { host: 'noc', user: 'u' }, /need version = "3"/],
  ['snmp', { ...V3, authPassword: 'SECRET' }, /authPassword must have at least 8 characters/],
  [
    'snmp',
    { host: 'noc', version: '3', user: 'u', privPassword: 'SECRET-8' },
    /privPassword needs authPassword/,
  ],
  ['snmp', { ...V3, engineId: 'xyz' }, /engineId must be 5 to 32 bytes/],
  ['snmp', { host: 'noc', root: '1.2' }, /root must be an object identifier/],
  ['exec', {}, /the key argv is missing/],
  ['exec', { argv: 'script.sh' }, /argv must begin with the absolute path/],
  ['exec', { argv: ['/bin/sh', 'a\0b'] }, /argv must not contain the character 0/],
  ['exec', { argv: '/bin/sh', folder: 'x' }, /folder must be an absolute path/],
  ['exec', { argv: '/bin/sh', uid: 5 }, /uid needs gid/],
  ['exec', { argv: '/bin/sh', onFailure: 'ignore' }, /onFailure must be one of retry, give-up/],
]

for (const [type, keys, what] of BAD) {
  test(`${type} ${JSON.stringify(keys)} is refused with a sentence that names the sink`, () => {
    const parsed = parseAlertSink('night', type, keys)
    assert.ok(!parsed.ok)
    assert.match(parsed.reason, what)
    assert.match(parsed.reason, /^alert sink "night": /)
    assert.doesNotMatch(parsed.reason, /SECRET/)
  })
}

test('a name that could not stand in a command is refused', () => {
  for (const name of ['', 'a b', 'x'.repeat(65), 'a/b'])
    assert.equal(parseAlertSink(name, 'exec', { argv: '/x' }).ok, false)
})
