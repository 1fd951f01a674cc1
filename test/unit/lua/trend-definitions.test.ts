/** Definitions of trend databases in the configuration, and their settings. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { startTrendLua } from '../../support/trend-lua.ts'

const DEFINE = 'newStringStatsDB("logins", 900, 4, { count = "int", ips = "hll" })'

describe('the configuration of trend databases', () => {
  test('defines windows and fields, in the state that runs it', async (t) => {
    const { rows } = await startTrendLua(t, { answers: 'at once', configuration: DEFINE })
    const definition = rows.registry.get('logins')
    assert.equal(definition?.windowSeconds, 900)
    assert.equal(definition.windowCount, 4)
    assert.deepEqual(
      Array.from(definition.fields.values(), ({ name, type }) => `${name}: ${type}`).toSorted(),
      ['count: int', 'ips: hll'],
    )
    assert.equal(definition.hllBits, 12)
    assert.equal(definition.maxKeys, 500_000)
  })

  test('takes the sharded form of wforce, whose shards have no effect', async (t) => {
    const { rows } = await startTrendLua(t, {
      answers: 'at once',
      configuration: 'newShardedStringStatsDB("s", 60, 15, { count = "int" }, 10, { topCapacity = 7 })',
    })
    assert.equal(rows.registry.get('s')?.windowCount, 15)
    assert.equal(rows.registry.get('s')?.topCapacity, 7)
  })

  test('takes options of its own', async (t) => {
    const { rows } = await startTrendLua(t, {
      answers: 'at once',
      configuration:
        'newStringStatsDB("o", 60, 1, { d = "seen" }, { maxItems = 9, topCapacity = 8, utcOffsetMinutes = -60 })',
    })
    const definition = rows.registry.get('o')
    assert.equal(definition?.maxItemsPerKey, 9)
    assert.equal(definition.topCapacity, 8)
    assert.equal(definition.utcOffsetMinutes, -60)
  })

  test('gives the same object for the same name, which tells its name and prefixes', async (t) => {
    const { lua } = await startTrendLua(t, { answers: 'at once', configuration: DEFINE })
    await lua.values('db = getStringStatsDB("logins") db:twSetv4Prefix(24) db:twSetv6Prefix(56)')
    assert.equal(await lua.show('db == getStringStatsDB("logins")'), 'true')
    assert.equal(await lua.show('db:twGetName(), db:twGetv4Prefix(), db:twGetv6Prefix()'), 'logins 24 56')
    assert.equal(await lua.show('db'), 'StringStatsDB logins')
  })

  test('masks addresses by the prefixes that were set', async (t) => {
    const trends = await startTrendLua(t, {
      answers: 'at once',
      configuration: `${DEFINE} db = getStringStatsDB("logins") db:twSetv4Prefix(24) db:twSetv6Prefix(56)`,
    })
    await trends.values(`for _, text in ipairs{"192.0.2.1", "192.0.2.200:25", "::ffff:192.0.2.3", "192.0.3.1",
      "2001:db8:0:aa::1", "2001:db8:0:bb:1::1%eth0"} do db:twAdd(newCA(text), "count", 1) end`)
    assert.deepEqual(trends.rows.keys('logins'), ['192.0.2.0/24', '192.0.3.0/24', '2001:db8::/56'])
    assert.deepEqual(
      await trends.values(
        'return db:twGet(newCA("192.0.2.77"), "count"), db:twGet("2001:db8::/56", "count")',
      ),
      [3, 2],
    )
  })

  test('applies the exactness of sketches to the databases that are defined after it', async (t) => {
    const { rows } = await startTrendLua(t, {
      answers: 'at once',
      configuration: `newStringStatsDB("before", 60, 1, { f = "hll" })
        setHLLBits(6) setCountMinBits(0.01, 0.1)
        newStringStatsDB("after", 60, 1, { f = "hll" })`,
    })
    const [before, after] = rows.registry.all()
    assert.deepEqual([before?.hllBits, before?.countMinEps, before?.countMinGamma], [12, 0.05, 0.2])
    assert.deepEqual([after?.hllBits, after?.countMinEps, after?.countMinGamma], [6, 0.01, 0.1])
  })

  test('sets the maximum size, and takes what only matters to wforce', async (t) => {
    const { rows } = await startTrendLua(t, {
      answers: 'at once',
      configuration: `${DEFINE} local db = getStringStatsDB("logins")
        db:twSetMaxSize(1000) db:twSetExpireSleep(250) db:twEnableReplication()`,
    })
    assert.equal(rows.registry.get('logins')?.maxKeys, 1000)
  })

  const ERRORS: readonly (readonly [code: string, message: string])[] = [
    ['getStringStatsDB("nothing")', 'there is no trend database "nothing"; define it with newStringStatsDB'],
    ['newStringStatsDB("x", 0, 1, { f = "int" })', 'window size of trend database "x" (seconds) must be'],
    ['newStringStatsDB("x", 60, 1, {})', 'trend database "x" needs at least one field'],
    [
      'newStringStatsDB("x", 60, 1, { f = "bloom" })',
      'field "f" of trend database "x" has the unknown type "bloom"',
    ],
    ['newStringStatsDB("x", 60, 1, { f = 5 })', 'the type of field "f" must be a string'],
    [
      'newStringStatsDB("x", 60, 1, { f = "int" }, { size = 1 })',
      'a trend database has no option "size"; known are maxItems, topCapacity, utcOffsetMinutes',
    ],
    [
      'newStringStatsDB("x", 60, 1, { f = "int" }, { maxItems = "many" })',
      'the option maxItems must be a number',
    ],
    [
      'newStringStatsDB("x", 60, 1, { f = "int" }, { maxItems = 0 })',
      'maxItemsPerKey must be a whole number from 1 to',
    ],
    [
      'newShardedStringStatsDB("x", 60, 1, { f = "int" }, 0)',
      'shards: expected a whole number from 1 to 65536',
    ],
    ['setHLLBits(20)', 'bits: expected a whole number from 4 to 16'],
    ['setCountMinBits(0, 0.2)', 'eps: expected a number from 0.001 to 1'],
    ['db:twSetv4Prefix(33)', 'bits: expected a whole number from 0 to 32'],
    ['db:twSetMaxSize(0)', 'keys: expected a whole number from 1 to'],
    ['db:twAdd("k", "count", 1)', 'twAdd can only be used inside report, background and endpoint functions'],
    ['db:twGet("k", "count")', 'twGet can only be used inside report, background and endpoint functions'],
    ['db:twReset("k")', 'twReset can only be used inside report, background and endpoint functions'],
    ['db:twGetSize()', 'twGetSize can only be used inside report, background and endpoint functions'],
  ]
  for (const [code, message] of ERRORS) {
    test(`refuses, while the configuration is read: ${code}`, async (t) => {
      const { lua } = await startTrendLua(t, { answers: 'at once', configuration: `db = ${DEFINE}` })
      const outcome = await lua.run(code)
      assert.ok(!outcome.ok)
      assert.ok(outcome.error.message.includes(message), outcome.error.message)
      assert.equal(lua.bugs.length, 0)
    })
  }

  for (const code of [
    DEFINE,
    'db:twSetMaxSize(5)',
    'db:twSetv4Prefix(8)',
    'setHLLBits(8)',
    'db:twEnableReplication()',
  ]) {
    test(`belongs in the configuration file, and is refused in a run: ${code}`, async (t) => {
      const trends = await startTrendLua(t, { answers: 'at once', configuration: `db = ${DEFINE}` })
      assert.match(await trends.error(code), /can only be called while the configuration file is executed/)
    })
  }
})
