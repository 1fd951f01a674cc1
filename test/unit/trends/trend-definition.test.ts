import assert from 'node:assert/strict'
import { test } from 'node:test'
import { reconcileDefinitions } from '../../../src/trends/reconcile-definitions.ts'
import { parseTrendDefinition } from '../../../src/trends/trend-definition.ts'
import { TrendRegistry } from '../../../src/trends/trend-registry.ts'
import { defined, fieldOf } from '../../support/trend-fixtures.ts'

const GOOD = { name: 'db', windowSeconds: 60, windowCount: 10, fields: new Map([['count', 'int']]) }

test('defaults are those of the manual', () => {
  const outcome = parseTrendDefinition(GOOD)
  assert.ok(outcome.ok)
  const { hllBits, countMinEps, countMinGamma, maxItemsPerKey, v4Prefix, v6Prefix, maxKeys } =
    outcome.definition
  assert.deepEqual(
    { hllBits, countMinEps, countMinGamma, maxItemsPerKey, v4Prefix, v6Prefix, maxKeys },
    {
      hllBits: 12,
      countMinEps: 0.05,
      countMinGamma: 0.2,
      maxItemsPerKey: 256,
      v4Prefix: 32,
      v6Prefix: 128,
      maxKeys: 500_000,
    },
  )
})

const manyFields = new Map(Array.from({ length: 65 }, (_, index) => [`f${index}`, 'int']))
for (const [what, input, reason] of [
  ['an empty name', { ...GOOD, name: '' }, /must not be empty/],
  ['a name of 65 characters', { ...GOOD, name: 'x'.repeat(65) }, /at most 64/],
  ['a control character', { ...GOOD, name: 'a\nb' }, /control characters/],
  ['a window of 0 s', { ...GOOD, windowSeconds: 0 }, /window size of trend database "db" .*from 1 to/],
  ['a window of 1.5 s', { ...GOOD, windowSeconds: 1.5 }, /whole number/],
  ['no window', { ...GOOD, windowCount: 0 }, /number of windows of trend database "db"/],
  ['too many windows', { ...GOOD, windowCount: 1_000_000 }, /from 1 to 10000/],
  ['no field', { ...GOOD, fields: new Map() }, /at least one field/],
  ['65 fields', { ...GOOD, fields: manyFields }, /65 fields; at most 64/],
  ['an empty field name', { ...GOOD, fields: new Map([['', 'int']]) }, /must not be empty/],
  [
    'an unknown type',
    { ...GOOD, fields: new Map([['x', 'bloom']]) },
    /unknown type "bloom"; known are int, hll/,
  ],
  [
    '17 hll bits',
    { ...GOOD, options: { hllBits: 17 } },
    /hllBits must be a whole number from 4 to 16, and is 17/,
  ],
  [
    'an eps that is no number',
    { ...GOOD, options: { countMinEps: Number.NaN } },
    /countMinEps must be a number/,
  ],
  [
    'too many windows over all fields',
    { ...GOOD, windowCount: 10_000, fields: new Map([...manyFields].slice(0, 5)) },
    /50000 windows over all of its fields/,
  ],
] as const) {
  test(`${what} is refused with the reason`, () => {
    const outcome = parseTrendDefinition(input)
    assert.ok(!outcome.ok)
    assert.match(outcome.reason, reason)
  })
}

test('the identifier of a field depends on its name and type alone, and never changes', () => {
  const [one, two] = [defined(), defined({ windowSeconds: 3600, fields: new Map([['count', 'int']]) })]
  assert.equal(fieldOf(one, 'count').id, fieldOf(two, 'count').id)
  assert.notEqual(
    fieldOf(one, 'count').id,
    fieldOf(defined({ fields: new Map([['count', 'hll']]) }), 'count').id,
  )
  assert.equal(fieldOf(one, 'count').id, 0x62cb72)
})

const before = defined({
  fields: new Map([
    ['count', 'int'],
    ['ips', 'hll'],
    ['devices', 'seen'],
  ]),
})
for (const [what, after, kept, dropped] of [
  ['nothing', before, ['count', 'ips', 'devices'], []],
  ['a larger range', defined({ fields: asTypes(before), windowCount: 8 }), ['count', 'ips', 'devices'], []],
  [
    'a field removed',
    defined({ fields: new Map([['count', 'int']]) }),
    ['count'],
    [/field ips: it is no longer/, /field devices/],
  ],
  [
    'a type changed',
    defined({ fields: new Map([...asTypes(before), ['ips', 'countmin']]) }),
    ['count', 'devices'],
    [/field ips: its type was hll and is countmin/],
  ],
  [
    'fewer windows',
    defined({ fields: asTypes(before), windowCount: 2 }),
    ['count', 'ips', 'devices'],
    [/older than 20 seconds/],
  ],
  [
    'twice the size',
    defined({ fields: asTypes(before), windowSeconds: 20, windowCount: 2 }),
    ['count', 'ips', 'devices'],
    [],
  ],
  [
    'half the size',
    defined({ fields: asTypes(before), windowSeconds: 5, windowCount: 8 }),
    ['count', 'ips', 'devices'],
    [/do not lie within/],
  ],
  [
    'fewer items',
    defined({ fields: asTypes(before), options: { maxItemsPerKey: 2 } }),
    ['count', 'ips', 'devices'],
    [/items beyond 2 per key/],
  ],
] as const) {
  test(`reconciling with ${what} changed says what is kept and what is dropped`, () => {
    const result = reconcileDefinitions(before, after)
    assert.deepEqual(result.kept, kept)
    assert.equal(result.dropped.length, dropped.length, result.dropped.join('; '))
    for (const [index, pattern] of dropped.entries()) assert.match(result.dropped[index] ?? '', pattern)
  })
}

test('a registry answers with the definition of that name, the latest one', () => {
  const registry = new TrendRegistry()
  assert.ok(registry.define(GOOD).ok)
  assert.ok(!registry.define({ ...GOOD, windowCount: -1 }).ok)
  assert.equal(registry.get('db')?.windowCount, 10)
  registry.define({ ...GOOD, windowCount: 20 })
  registry.adopt(defined({ name: 'other' }))
  assert.equal(registry.get('db')?.windowCount, 20)
  assert.deepEqual(
    registry.all().map(({ name }) => name),
    ['db', 'other'],
  )
  assert.equal(registry.get('none'), undefined)
})

function asTypes(definition: typeof before): ReadonlyMap<string, string> {
  return new Map([...definition.fields.values()].map(({ name, type }) => [name, type]))
}
