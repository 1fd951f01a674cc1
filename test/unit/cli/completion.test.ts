import assert from 'node:assert/strict'
import { test } from 'node:test'
import { complete } from '../../../src/cli/completion.ts'

const NAMES = [
  'stats',
  'showACL',
  'showVersion',
  'string',
  'string.format',
  'string.find',
  'addACL',
  'ComboAddress:tostring',
  'Netmask:toStringNetwork',
  'StringStatsDB:twGet',
  'help',
  '"Logins"',
  '"Logouts"',
] as const

const cases: readonly (readonly [line: string, fitting: readonly string[], replaced: string])[] = [
  ['sho', ['showACL', 'showVersion'], 'sho'],
  ['print(sta', ['stats'], 'sta'],
  ['x = string.f', ['string.find', 'string.format'], 'string.f'],
  ['string', ['string', 'string.find', 'string.format'], 'string'],
  ['lt.remote:to', ['toStringNetwork', 'tostring'], 'to'],
  ['db:tw', ['twGet'], 'tw'],
  ['nothing', [], 'nothing'],
  ['f() ', [], ''],
  ['showStatsDBKey("Log', ['Logins', 'Logouts'], 'Log'],
  ["getStringStatsDB('Logi", ['Logins'], 'Logi'],
  ['f("Logins", sta', ['stats'], 'sta'],
  ['help("showA', ['showACL'], 'showA'],
  ['help"string.fi', ['string.find'], 'string.fi'],
]

for (const [line, fitting, replaced] of cases) {
  test(`${line} offers ${fitting.join(', ') || 'nothing'}`, () => {
    assert.deepEqual(complete(line, NAMES), [fitting, replaced])
  })
}

test('an empty line offers every function and variable', () => {
  const [fitting] = complete('', NAMES)
  assert.deepEqual(fitting, [
    'stats',
    'showACL',
    'showVersion',
    'string',
    'string.format',
    'string.find',
    'addACL',
    'help',
  ])
})
