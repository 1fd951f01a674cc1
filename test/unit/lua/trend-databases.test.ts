/** What policies remember: changing and reading trend databases in Lua, over a store that answers at once and one that does not. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { LuaValue } from '../../../src/lua/lua-value.ts'
import { START_SECONDS } from '../../support/trend-fixtures.ts'
import { textToBytes } from '../../support/text-bytes.ts'
import { DEFINE_ALL_FIELDS, startTrendLua } from '../../support/trend-lua.ts'

interface Case {
  readonly title: string
  readonly change: string
  readonly read: string
  readonly result: readonly LuaValue[]
}

const NOW = START_SECONDS
const table = (entries: Readonly<Record<string, LuaValue>>): LuaValue => new Map(Object.entries(entries))

const CASES: readonly Case[] = [
  {
    title: 'an int field is a sum of numbers, fractions, and numbers written as text',
    change: 'db:twAdd("k", "count", 2) db:twAdd("k", "count", "3.5") db:twSub("k", "count", 1)',
    read: 'db:twGet("k", "count"), db:twGetCurrent("k", "count")',
    result: [4.5, 4.5],
  },
  {
    title: 'an int field keeps every digit of a double',
    change:
      'db:twAdd("k", "count", 9007199254740991) db:twAdd("j", "count", 0.1) db:twAdd("j", "count", 0.2)',
    read: 'db:twGet("k", "count"), db:twGet("j", "count")',
    result: [9_007_199_254_740_991, 0.1 + 0.2],
  },
  {
    title: 'an int field may fall below zero',
    change: 'db:twSub("k", "count", 3)',
    read: 'db:twGet("k", "count")',
    result: [-3],
  },
  {
    title: 'an int field stays a number, whatever is added: a sum too large for one is the largest there is',
    change:
      'for i = 1, 3 do db:twAdd("k", "count", 1e308) end db:twAdd("j", "count", -1e308) db:twSub("j", "count", 1e308) db:twAdd("j", "count", 1e308)',
    read: 'db:twGet("k", "count"), db:twGet("j", "count") == db:twGet("j", "count")',
    result: [Number.MAX_VALUE, true],
  },
  {
    title: 'an hll field counts different strings, numbers and addresses, ports left aside',
    change: `for _, item in ipairs{"a", "a", 5, "5", newCA("192.0.2.1"), newCA("192.0.2.1:99"), "192.0.2.1"} do
      db:twAdd("k", "ips", item)
    end`,
    read: 'db:twGet("k", "ips")',
    result: [3],
  },
  {
    title: 'a countmin field counts each item, and all of them without one',
    change: `db:twAdd("k", "proto", "imap") db:twAdd("k", "proto", "imap", 4) db:twAdd("k", "proto", "http")
      db:twAdd("k", "proto", newCA("192.0.2.1"), 2) db:twAdd("k", "proto", 7)`,
    read: 'db:twGet("k", "proto", "imap"), db:twGet("k", "proto"), db:twGet("k", "proto", newCA("192.0.2.1")), db:twGet("k", "proto", 7), db:twGet("k", "proto", "pop3")',
    result: [5, 9, 2, 1, 0],
  },
  {
    title: 'a count of 0 adds nothing',
    change:
      'db:twAdd("k", "proto", "imap", 0) db:twAdd("k", "devices", "a", 0) db:twAdd("k", "hitters", "a", 0)',
    read: 'db:twGet("k", "proto"), db:twSeen("k", "devices", "a"), #db:twTop("k", "hitters", 3)',
    result: [0, undefined, 0],
  },
  {
    title: 'a seen field knows when an item came first and last, and how often',
    change: 'db:twAdd("k", "devices", "phone") db:twAdd("k", "devices", "phone", 2)',
    read: 'db:twSeen("k", "devices", "phone"), db:twSeen("k", "devices", "tablet")',
    result: [table({ first: NOW, last: NOW, count: 3 }), undefined],
  },
  {
    title: 'items are any bytes, also long ones',
    change: String.raw`for _, item in ipairs{"a\0b", "\255\254", "", ("é"):rep(600)} do db:twAdd("k", "devices", item) end`,
    read: String.raw`#db:twItems("k", "devices"), db:twSeen("k", "devices", "\255\254").count, db:twItems("k", "devices")[3].item == "\255\254", db:twSeen("k", "devices", ("é"):rep(600)).count, db:twSeen("k", "devices", ("é"):rep(601))`,
    result: [4, 1, true, 1, undefined],
  },
  {
    title: 'of the windows of a field as many are listed as are asked for, the current one first',
    change: 'db:twAdd("k", "count", 5) db:twAdd("k", "ips", "a") db:twAdd("k", "proto", "imap", 3)',
    read: 'db:twGetWindows("k", "count", nil, 1), db:twGetWindows("k", "ips", nil, 2), db:twGetWindows("k", "proto", "imap", 1), #db:twGetWindows("k", "count", nil, 99) == #db:twGetWindows("k", "count")',
    result: [[5], [1, 0], [3], true],
  },
  {
    title: 'of the items of a seen field as many are listed as are asked for, the latest first',
    change: 'for _, item in ipairs{"a", "b", "c"} do db:twAdd("k", "devices", item) end',
    read: 'db:twItems("k", "devices", 1)[1].item, #db:twItems("k", "devices", 2), #db:twItems("k", "devices", 9), #db:twItems("k", "devices", nil)',
    result: ['c', 2, 3, 3],
  },
  {
    title: 'a last field gives its latest value and the time',
    change: 'db:twAdd("k", "place", "GB") db:twAdd("k", "place", "FR")',
    read: 'db:twLast("k", "place")',
    result: ['FR', NOW],
  },
  {
    title: 'a last field takes tables, lists, numbers, booleans and addresses',
    change: `db:twAdd("t", "place", { country = "GB", latitude = 51.5, known = true, from = newCA("192.0.2.1") })
      db:twAdd("l", "place", { "a", "b" }) db:twAdd("n", "place", 1.25) db:twAdd("b", "place", false) db:twAdd("a", "place", newCA("::1"))`,
    read: '(db:twLast("t", "place")), (db:twLast("l", "place")), (db:twLast("n", "place")), (db:twLast("b", "place")), (db:twLast("a", "place"))',
    result: [
      table({ country: 'GB', latitude: 51.5, known: true, from: '192.0.2.1' }),
      ['a', 'b'],
      1.25,
      false,
      '::1',
    ],
  },
  {
    title: 'a baseline field knows what is usual, and scores what is not once it has learned',
    change: 'for _, x in ipairs{10, 20, 10, 20} do db:twAdd("k", "usual", x) end db:twAdd("j", "usual", 3)',
    read: 'db:twBaseline("k", "usual").mean, db:twBaseline("k", "usual").samples, db:twScore("k", "usual", 15), db:twScore("k", "usual", 30) > 2, db:twBaseline("j", "usual").stddev, db:twScore("j", "usual", 9)',
    result: [15, 4, 0, true, 0, undefined],
  },
  {
    title: 'a top field lists what was counted most',
    change:
      'db:twAdd("k", "hitters", "a") db:twAdd("k", "hitters", "b", 5) db:twAdd("k", "hitters", newCA("192.0.2.1"), 3)',
    read: 'db:twTop("k", "hitters", 2), #db:twTop("k", "hitters", 100)',
    result: [[table({ item: 'b', count: 5 }), table({ item: '192.0.2.1', count: 3 })], 3],
  },
  {
    title: 'nothing is known of a key that was never used',
    change: '',
    read: 'db:twGet("k", "count"), db:twGet("k", "ips"), db:twGet("k", "proto", "x"), db:twSeen("k", "devices", "x"), #db:twItems("k", "devices"), db:twBaseline("k", "usual"), db:twScore("k", "usual", 1), #db:twTop("k", "hitters", 1), db:twLast("k", "place")',
    result: [0, 0, 0, undefined, 0, undefined, undefined, 0, undefined],
  },
  {
    title: 'a field can be forgotten alone, or with the whole key',
    change: `db:twAdd("k", "count", 1) db:twAdd("k", "ips", "a") db:twAdd("j", "count", 1) db:twAdd("j", "ips", "a")
      db:twResetField("k", "count") db:twReset("j")`,
    read: 'db:twGet("k", "count"), db:twGet("k", "ips"), db:twGet("j", "count"), db:twGet("j", "ips")',
    result: [0, 1, 0, 0],
  },
  {
    title: 'a number and its text are one key, and a key is any bytes',
    change: String.raw`db:twAdd(5, "count", 1) db:twAdd("5", "count", 1) db:twAdd("\255\0", "count", 7) db:twAdd("", "count", 3)`,
    read: String.raw`db:twGet("5", "count"), db:twGet("\255\0", "count"), db:twGet("\255", "count"), db:twGet("", "count")`,
    result: [2, 7, 0, 3],
  },
  {
    title: 'an address is a key by its network, whatever its port and however it is mapped',
    change: `db:twAdd(newCA("192.0.2.1:55"), "count", 1) db:twAdd(newCA("::ffff:192.0.2.1"), "count", 1)
      db:twAdd(newCA("192.0.2.2"), "count", 1) db:twAdd(newCA("2001:db8::1"), "count", 4)`,
    read: 'db:twGet(newCA("192.0.2.1"), "count"), db:twGet("192.0.2.1/32", "count"), db:twGet("2001:db8::1/128", "count"), db:twGet("192.0.2.1", "count")',
    result: [2, 2, 4, 0],
  },
]

for (const answers of ['at once', 'later'] as const) {
  describe(`a trend database whose store answers ${answers}`, () => {
    for (const { title, change, read, result } of CASES) {
      test(`${title}: in the run itself`, async (t) => {
        const trends = await startTrendLua(t, { answers, configuration: DEFINE_ALL_FIELDS })
        assert.deepEqual(await trends.values(`${change} return ${read}`), result)
      })

      test(`${title}: in a later run`, async (t) => {
        const trends = await startTrendLua(t, { answers, configuration: DEFINE_ALL_FIELDS })
        await trends.values(change)
        assert.deepEqual(await trends.values(`return ${read}`), result)
      })
    }

    test('adds a run’s own changes to what earlier runs have left', async (t) => {
      const trends = await startTrendLua(t, { answers, configuration: DEFINE_ALL_FIELDS })
      const code =
        'db:twAdd("k", "count", 1) db:twAdd("k", "ips", ...) return db:twGet("k", "count"), db:twGet("k", "ips")'
      assert.deepEqual(await trends.values(code.replace('...', '"a"')), [1, 1])
      assert.deepEqual(await trends.values(code.replace('...', '"b"')), [2, 2])
      assert.deepEqual(await trends.values(code.replace('...', '"a"')), [3, 2])
    })

    test('cuts windows by the time of the run, the current one first', async (t) => {
      const trends = await startTrendLua(t, { answers, configuration: DEFINE_ALL_FIELDS })
      const add = 'db:twAdd("k", "count", 1) db:twAdd("k", "ips", "a") db:twAdd("k", "proto", "imap")'
      await trends.values(add, NOW)
      await trends.values(`${add} ${add}`, NOW + 10)
      const read = `return db:twGetWindows("k", "count"), db:twGetWindows("k", "ips"), db:twGetWindows("k", "proto", "imap"),
        db:twGet("k", "count"), db:twGetCurrent("k", "count"), db:twGet("k", "ips")`
      assert.deepEqual(await trends.values(read, NOW + 25), [
        [0, 2, 1, 0],
        [0, 1, 1, 0],
        [0, 2, 1, 0],
        3,
        0,
        1,
      ])
      assert.deepEqual(await trends.values(`${add} ${read}`, NOW + 35), [
        [1, 0, 2, 1],
        [1, 0, 1, 1],
        [1, 0, 2, 1],
        4,
        1,
        1,
      ])
      assert.deepEqual((await trends.values(read, NOW + 1000)).slice(3), [0, 0, 0])
    })

    test('lists seen items newest first, with their own times', async (t) => {
      const trends = await startTrendLua(t, { answers, configuration: DEFINE_ALL_FIELDS })
      await trends.values('db:twAdd("k", "devices", "old")', NOW)
      await trends.values('db:twAdd("k", "devices", "new")', NOW + 5)
      assert.deepEqual(
        await trends.values('db:twAdd("k", "devices", "old") return db:twItems("k", "devices")', NOW + 9),
        [
          [
            table({ item: 'old', first: NOW, last: NOW + 9, count: 2 }),
            table({ item: 'new', first: NOW + 5, last: NOW + 5, count: 1 }),
          ],
        ],
      )
    })

    test('knows nothing of a run that failed, even if it has read what it changed', async (t) => {
      const trends = await startTrendLua(t, { answers, configuration: DEFINE_ALL_FIELDS })
      await trends.values('db:twAdd("k", "count", 1) db:twAdd("k", "devices", "a")')
      const message =
        await trends.error(`db:twAdd("k", "count", 5) db:twReset("k") db:twAdd("k", "devices", "b")
        error("after " .. #db:twItems("k", "devices"))`)
      assert.match(message, /after 1$/)
      assert.deepEqual(
        await trends.values('return db:twGet("k", "count"), db:twItems("k", "devices")[1].item'),
        [1, 'a'],
      )
    })

    test('shows a run nothing of what another run has changed and not ended', async (t) => {
      const trends = await startTrendLua(t, { answers, configuration: DEFINE_ALL_FIELDS })
      const start = await trends.prepare(
        'db:twAdd("k", "count", 1) wait("middle") return db:twGet("k", "count")',
      )
      const change = start(NOW)
      assert.deepEqual(await trends.values('return db:twGet("k", "count")'), [0])
      trends.lua.settle('middle', {})
      assert.deepEqual(await change, { ok: true, values: [1] })
      assert.deepEqual(await trends.values('return db:twGet("k", "count")'), [1])
    })

    test('notes a reading as a use, once an hour, and makes no key of it', async (t) => {
      const trends = await startTrendLua(t, { answers, configuration: DEFINE_ALL_FIELDS })
      const definition = trends.rows.registry.get('test')
      assert.ok(definition !== undefined)
      const lastUse = async (): Promise<number> =>
        (await trends.rows.readRow(definition, textToBytes('k'))).parts.newestSeconds
      await trends.values('db:twAdd("k", "count", 1)', NOW)
      const read = 'return db:twGet("k", "count"), db:twGet("nobody", "count")'
      await trends.values(read, NOW + 3599)
      assert.equal(await lastUse(), NOW)
      await trends.values(read, NOW + 3600)
      assert.equal(await lastUse(), NOW + 3600)
      await trends.values(read, NOW + 7000)
      assert.equal(await lastUse(), NOW + 3600)
      assert.deepEqual(trends.rows.keys('test'), ['k'])
      // A run that fails has used nothing.
      await trends.run(`${read.replace('return', 'local a, b =')} error("no")`, NOW + 9000)
      assert.equal(await lastUse(), NOW + 3600)
    })

    test('says how many keys were committed', async (t) => {
      const trends = await startTrendLua(t, { answers, configuration: DEFINE_ALL_FIELDS })
      await trends.values('db:twAdd("a", "count", 1) db:twAdd("b", "count", 1)')
      assert.deepEqual(await trends.values('db:twAdd("c", "count", 1) return db:twGetSize()'), [2])
    })
  })
}
