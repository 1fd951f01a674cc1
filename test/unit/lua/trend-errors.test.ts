/** Mistakes in the use of trend databases: the error names the function, the field and the database. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { DEFINE_ALL_FIELDS, startTrendLua } from '../../support/trend-lua.ts'

describe('a trend database that is used wrongly', () => {
  const ERRORS: readonly (readonly [code: string, message: string])[] = [
    ['db:twAdd("k", "nothing", 1)', 'twAdd: trend database "test" has no field "nothing"; it has '],
    [
      'db:twGet(nil, "count")',
      'twGet: a key of trend database "test" must be a string, a number or a ComboAddress, not nil',
    ],
    [
      'db:twAdd({}, "count", 1)',
      'twAdd: a key of trend database "test" must be a string, a number or a ComboAddress, not a table',
    ],
    ['db:twAdd("k", nil, 1)', "bad argument #2 to 'twAdd' (field: expected a string, got nil)"],
    [
      'db:twAdd("k", "count", "many")',
      'twAdd: field "count" of trend database "test" is of type int and takes a finite number, not "many"',
    ],
    ['db:twAdd("k", "count", 1/0)', 'takes a finite number, not "Infinity"'],
    ['db:twAdd("k", "count", 0/0)', 'takes a finite number, not "NaN"'],
    ['db:twSub("k", "count", 0/0)', 'takes a finite number, not "NaN"'],
    ['db:twAdd("k", "proto", "imap", 0/0)', 'takes a finite number, not "NaN"'],
    ['db:twAdd("k", "usual", 0/0)', 'takes a finite number, not "NaN"'],
    ['db:twAdd("k", "count", nil)', 'takes a finite number, not nil'],
    [
      'db:twAdd("k", "count", 1, 2)',
      'field "count" of trend database "test" is of type int and takes no count; countmin, seen and top do',
    ],
    ['db:twAdd("k", "ips", "a", 2)', 'is of type hll and takes no count'],
    [
      'db:twAdd("k", "ips", true)',
      'field "ips" of trend database "test": an item must be a string, a number or a ComboAddress, not a boolean',
    ],
    ['db:twAdd("k", "proto", "a", -1)', 'field "proto" of trend database "test" takes no negative count'],
    [
      'db:twAdd("k", "place", { {} })',
      'takes a string, a number, a boolean, a ComboAddress, or a table of these, not a table with other things in it',
    ],
    ['db:twAdd("k", "place", nil)', 'or a table of these, not nil'],
    ['db:twAdd("k", "place", ("x"):rep(5000))', 'field "place" of trend database "test" takes at most 4 KiB'],
    [
      'db:twSub("k", "ips", 1)',
      'twSub: field "ips" of trend database "test" is of type hll; only int can be subtracted from',
    ],
    [
      'db:twGet("k", "devices")',
      'twGet: field "devices" of trend database "test" is of type seen, which is read with twSeen or twItems',
    ],
    ['db:twLast("k", "count")', 'is of type int, which is read with twGet, twGetCurrent or twGetWindows'],
    ['db:twGet("k", "ips", "a")', 'is of type hll and does not count single items; countmin does'],
    [
      'db:twTop("k", "hitters", 0)',
      "bad argument #3 to 'twTop' (count: expected a whole number from 1 to 1024, got 0)",
    ],
    [
      'db.twGet("k", "count")',
      "bad self of 'twGet' (self: expected a StringStatsDB, got a string; write a colon",
    ],
    [
      'for i = 1, 50001 do db:twAdd(i, "count", 1) end',
      'twAdd: this run has made as many different changes to trends as one run may',
    ],
  ]
  for (const [code, message] of ERRORS) {
    test(`says so: ${code}`, async (t) => {
      const trends = await startTrendLua(t, { answers: 'at once', configuration: DEFINE_ALL_FIELDS })
      const text = await trends.error(code)
      assert.ok(text.includes(message), text)
      assert.equal(trends.lua.bugs.length, 0)
    })
  }

  test('refuses a run whose time cannot be a time', async (t) => {
    const trends = await startTrendLua(t, { answers: 'at once', configuration: DEFINE_ALL_FIELDS })
    const outcome = await trends.run('db:twAdd("k", "count", 1)', -1)
    assert.match(
      outcome.ok ? '' : outcome.error.message,
      /the time of this run, -1 s, cannot be used for trends/,
    )
  })

  test('passes the failure of a store on as an error of the call', async (t) => {
    const trends = await startTrendLua(t, { answers: 'later', configuration: DEFINE_ALL_FIELDS })
    trends.rows.failWith('the disk is gone')
    assert.match(await trends.error('return db:twGet("k", "count")'), /the disk is gone/)
  })
})
