import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parseCommandLine, type CommandLine } from '../../../src/cli/command-line.ts'
import { ATTACK_TYPES } from '../../../src/simulator/attacks/attack-types.ts'

const LOG = { level: 'info', format: 'text', facility: undefined, timestamps: false } as const
const CONTROL = { configFile: undefined, address: undefined, keyFile: undefined } as const
const SERVER = {
  mode: 'foreground',
  configFile: undefined,
  regexesFile: undefined,
  recover: false,
  log: LOG,
  pidFile: undefined,
  logFile: undefined,
} as const
const REPORT = {
  login: 'ann',
  remote: '127.0.0.1',
  success: true,
  failType: undefined,
  protocol: undefined,
  deviceId: undefined,
  sessionId: undefined,
  attributes: {},
  url: undefined,
  passwordFile: undefined,
} as const

const SIMULATION = {
  users: 1000,
  days: 30,
  seed: 1,
  rate: 1,
  startSeconds: Date.parse('2026-01-05T00:00:00Z') / 1000,
  attacks: { types: ATTACK_TYPES, instances: 10, quietDays: 14 },
} as const

const ALERTS = {
  format: 'table',
  wish: {
    kind: 'list',
    follow: false,
    listing: {
      since: undefined,
      severity: undefined,
      state: undefined,
      rule: undefined,
      key: undefined,
      limit: undefined,
    },
  },
  server: { url: undefined, passwordFile: undefined },
} as const

const TEST = {
  path: undefined,
  filter: '',
  junitFile: undefined,
  coverage: false,
  lcovFile: undefined,
} as const

function parse(words: string, isTerminal = false): CommandLine {
  const argv = words === '' ? [] : words.split(' ')
  return parseCommandLine(argv, { version: '1.2.3', isTerminal })
}

const meanings: Readonly<Record<string, CommandLine>> = {
  '-s': { kind: 'serve', server: SERVER },
  '--server': { kind: 'serve', server: SERVER },
  '-s -C a.conf -R r.yaml --recover': {
    kind: 'serve',
    server: { ...SERVER, configFile: 'a.conf', regexesFile: 'r.yaml', recover: true },
  },
  '-s -v': { kind: 'serve', server: { ...SERVER, log: { ...LOG, level: 'debug' } } },
  '-s -f local0 --log-format json': {
    kind: 'serve',
    server: { ...SERVER, log: { ...LOG, facility: 'local0', format: 'json' } },
  },
  '-s -f LOCAL7': { kind: 'serve', server: { ...SERVER, log: { ...LOG, facility: 'local7' } } },
  '-D': { kind: 'serve', server: { ...SERVER, log: { ...LOG, timestamps: true } } },
  '-s -D': { kind: 'serve', server: { ...SERVER, log: { ...LOG, timestamps: true } } },
  '-d --pid-file p --log-file l': {
    kind: 'serve',
    server: { ...SERVER, mode: 'daemon', pidFile: 'p', logFile: 'l' },
  },
  '--daemon': { kind: 'serve', server: { ...SERVER, mode: 'daemon' } },
  '-c': { kind: 'console', control: CONTROL },
  '--client': { kind: 'console', control: CONTROL },
  '-c a.conf': { kind: 'console', control: { ...CONTROL, configFile: 'a.conf' } },
  '-c -C a.conf': { kind: 'console', control: { ...CONTROL, configFile: 'a.conf' } },
  '-c --control [::1]:99 --key-file k': {
    kind: 'console',
    control: { ...CONTROL, address: '[::1]:99', keyFile: 'k' },
  },
  '-e stats()': { kind: 'execute', control: CONTROL, line: 'stats()' },
  '-c a.conf -e stats()': {
    kind: 'execute',
    control: { ...CONTROL, configFile: 'a.conf' },
    line: 'stats()',
  },
  check: { kind: 'check', configFile: undefined },
  'check a.conf': { kind: 'check', configFile: 'a.conf' },
  'check -C a.conf': { kind: 'check', configFile: 'a.conf' },
  '-C a.conf check': { kind: 'check', configFile: 'a.conf' },
  'dump Logins -C a.conf': {
    kind: 'dump',
    control: { ...CONTROL, configFile: 'a.conf' },
    database: 'Logins',
  },
  'notify-test mail --control h:1': {
    kind: 'notify-test',
    control: { ...CONTROL, address: 'h:1' },
    sink: 'mail',
  },
  alerts: { kind: 'alerts', configFile: undefined, alerts: ALERTS },
  'alerts --since 3m --severity medium --state open --rule r* --key k --limit 5 --format json': {
    kind: 'alerts',
    configFile: undefined,
    alerts: {
      ...ALERTS,
      format: 'json',
      wish: {
        kind: 'list',
        follow: false,
        listing: { since: '3m', severity: 'medium', state: 'open', rule: 'r*', key: 'k', limit: '5' },
      },
    },
  },
  'alerts --follow --format line --url http://h --password-file p -C a.conf': {
    kind: 'alerts',
    configFile: 'a.conf',
    alerts: {
      format: 'line',
      wish: { ...ALERTS.wish, follow: true },
      server: { url: 'http://h', passwordFile: 'p' },
    },
  },
  'alerts show 12': {
    kind: 'alerts',
    configFile: undefined,
    alerts: { ...ALERTS, wish: { kind: 'show', id: 12 } },
  },
  'alerts ack 12 known --author eve': {
    kind: 'alerts',
    configFile: undefined,
    alerts: { ...ALERTS, wish: { kind: 'act', action: 'ack', id: 12, author: 'eve', comment: 'known' } },
  },
  'alerts explain 12 --format json': {
    kind: 'alerts',
    configFile: undefined,
    alerts: { ...ALERTS, format: 'json', wish: { kind: 'explain', id: 12 } },
  },
  'alerts resolve 12': {
    kind: 'alerts',
    configFile: undefined,
    alerts: { ...ALERTS, wish: { kind: 'act', action: 'resolve', id: 12, author: undefined, comment: '' } },
  },
  test: { kind: 'test', configFile: undefined, regexesFile: undefined, test: TEST },
  'test policies -C a.conf -R r.yaml --filter spray --junit j.xml --coverage --lcov l.info': {
    kind: 'test',
    configFile: 'a.conf',
    regexesFile: 'r.yaml',
    test: { path: 'policies', filter: 'spray', junitFile: 'j.xml', coverage: true, lcovFile: 'l.info' },
  },
  'report --login ann': { kind: 'report', configFile: undefined, report: REPORT },
  'report --login ann --success -C a.conf': { kind: 'report', configFile: 'a.conf', report: REPORT },
  'report --login ann --fail': {
    kind: 'report',
    configFile: undefined,
    report: { ...REPORT, success: false },
  },
  'report --login ann --fail credentials --remote 192.0.2.1 --protocol imap --device-id d --session-id s': {
    kind: 'report',
    configFile: undefined,
    report: {
      ...REPORT,
      success: false,
      failType: 'credentials',
      remote: '192.0.2.1',
      protocol: 'imap',
      deviceId: 'd',
      sessionId: 's',
    },
  },
  'report --login ann --attr a=1 --attr b=x=y --attr c= --url http://h --password-file p': {
    kind: 'report',
    configFile: undefined,
    report: {
      ...REPORT,
      attributes: { a: '1', b: 'x=y', c: '' },
      url: 'http://h',
      passwordFile: 'p',
    },
  },
  demo: { kind: 'demo', choice: { users: 50, seed: 1, dayMs: 6000, stay: false } },
  'demo --users 20 --seed 7 --day 0 --stay': {
    kind: 'demo',
    choice: { users: 20, seed: 7, dayMs: 0, stay: true },
  },
  simulate: { kind: 'simulate', choice: { simulation: SIMULATION, outputFile: undefined } },
  'simulate --users 60 --days 3 --attacks none --seed 0 --start 2027-03-01 --rate 2.5 --output f': {
    kind: 'simulate',
    choice: {
      simulation: {
        users: 60,
        days: 3,
        seed: 0,
        rate: 2.5,
        startSeconds: Date.parse('2027-03-01T00:00:00Z') / 1000,
        attacks: { types: [], instances: 2, quietDays: 14 },
      },
      outputFile: 'f',
    },
  },
  'simulate --attacks stuffing,brute-force --instances 3 --quiet-days 0 --days 4 --users 450 --output -': {
    kind: 'simulate',
    choice: {
      simulation: {
        ...SIMULATION,
        users: 450,
        days: 4,
        attacks: { types: ['brute-force', 'stuffing'], instances: 3, quietDays: 0 },
      },
      outputFile: undefined,
    },
  },
}

describe('words that mean something', () => {
  for (const [words, meaning] of Object.entries(meanings)) {
    test(words, () => assert.deepEqual(parse(words), meaning))
  }
})

const mistakes: Readonly<Record<string, RegExp>> = {
  '-s --frobnicate': /unknown option '--frobnicate'/,
  '-x': /unknown option '-x'/,
  frobnicate:
    /there is no command "frobnicate"; there are check, report, dump, simulate, demo, alerts, notify-test, test/,
  '-s frobnicate': /too many arguments.*frobnicate/,
  '': /say -s/,
  '-C a.conf': /say -s/,
  '-s -C': /argument missing/,
  '-s -l 8': /from 0 to 7/,
  '-s -l debug': /from 0 to 7/,
  '-s -f nowhere': /local0/,
  '-s --log-format xml': /text, json/,
  '-s -d': /-d goes to the background, and -s/,
  '-d -D': /-d goes to the background, and -D/,
  '-s -c': /-c talks to a server/,
  '-d -e stats()': /-e talks to a server/,
  '-s --control 127.0.0.1': /--control/,
  '-s --key-file k': /--key-file/,
  '-s --log-file l': /--log-file goes with -d/,
  '-c --pid-file p': /--pid-file goes with/,
  '-e': /argument missing/,
  'check -s': /check and -s/,
  'check -c': /check and -c/,
  'dump DB -e stats()': /dump and -e/,
  'check a b': /too many arguments/,
  'check --control x': /--control/,
  'demo -s': /demo and -s/,
  'demo --users 19': /from 20 to 1000/,
  'demo --day x': /from 0 to 86400/,
  'simulate -s': /simulate and -s/,
  'simulate --users 0': /from 1 to 50000/,
  'simulate --users 1e3': /from 1 to 50000/,
  'simulate --seed -1': /from 0 to 4294967295/,
  'simulate --rate 0.01': /from 0.1 to 100/,
  'simulate --attacks brute-force,none': /There are brute-force, distributed-brute-force/,
  'simulate --attacks all --days 17': /--days 18 or more, fewer --quiet-days, or --attacks none/,
  'simulate --start 2026-02-30': /a day since 1970/,
  'simulate --start 1969-12-31': /a day since 1970/,
  'simulate file': /too many arguments/,
  'alerts frob': /there is no action "frob"; there are show, explain, ack, resolve, comment/,
  'alerts ack': /ack needs the number of an alert/,
  'alerts ack 0': /ack needs the number of an alert/,
  'alerts comment 3': /comment needs a text/,
  'alerts show 3 --since 1m': /--since goes with the list, not with show/,
  'alerts show 3 text': /show takes nothing but the number/,
  'alerts explain': /explain needs the number of an alert/,
  'alerts explain 3 --author eve': /explain takes nothing but the number/,
  'alerts --author eve': /--author goes with/,
  'alerts --follow --limit 3': /--limit does not go with --follow/,
  'alerts --severity bad': /info, low, medium, high, critical/,
  'alerts --format xml': /table, json, line/,
  'alerts --control x': /--control/,
  'alerts -s': /alerts and -s/,
  'notify-test': /missing required argument 'sink'/,
  dump: /missing required argument 'database'/,
  report: /required option '--login <name>'/,
  'report --login a --success --fail': /exclude each other/,
  'report --login a --attr x': /KEY=VALUE/,
}

describe('words that are a mistake, and what is said of it', () => {
  for (const [words, message] of Object.entries(mistakes)) {
    test(words === '' ? 'none' : words, () => {
      const meaning = parse(words)
      assert.ok(meaning.kind === 'usage', JSON.stringify(meaning))
      assert.match(meaning.message, message)
    })
  }
})

test('severities of syslog become levels; -v is the most verbose of them', () => {
  const levels = ['error', 'error', 'error', 'error', 'warn', 'info', 'info', 'debug']
  for (const [severity, level] of levels.entries()) {
    const meaning = parse(`-s -l ${severity}`)
    assert.equal(meaning.kind === 'serve' && meaning.server.log.level, level)
  }
  const verbose = parse('-s -l 3 -v')
  assert.equal(verbose.kind === 'serve' && verbose.server.log.level, 'debug')
})

test('in a terminal a server without any option gets a console', () => {
  assert.deepEqual(parse('', true), { kind: 'serve', server: { ...SERVER, mode: 'console' } })
  assert.deepEqual(parse('-s', true), { kind: 'serve', server: SERVER })
})

test('help and version are texts to print', () => {
  const version = parse('--version')
  assert.deepEqual(version, { kind: 'text', text: 'trackalert 1.2.3\n' })
  for (const words of ['-h', '--help', 'report --help', '-s --help']) {
    const help = parse(words)
    assert.match(help.kind === 'text' ? help.text : '', /^Usage: trackalert/, words)
  }
})
