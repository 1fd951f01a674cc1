/** What is kept of a run that raises an alert: what it had read from trends until then, in order, and bounded. */
import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import fc from 'fast-check'
import { EVIDENCE_LIMITS, type RaiseGrounds, type TrendRead } from '../../../src/alerts/alert-evidence.ts'
import { SettingsCollector } from '../../../src/config/settings-collector.ts'
import { alertFunctions } from '../../../src/lua/bindings/alerts.ts'
import { trendDatabaseType, trendFunctions } from '../../../src/lua/bindings/trend-databases.ts'
import { createRunContext } from '../../../src/lua/run-context.ts'
import { RunReads } from '../../../src/lua/run-reads.ts'
import { loginReport } from '../../support/login-reports.ts'
import { startLua } from '../../support/lua-harness.ts'
import { textToBytes } from '../../../src/login/byte-string.ts'
import { START_SECONDS } from '../../support/trend-fixtures.ts'
import { DEFINE_ALL_FIELDS } from '../../support/trend-lua.ts'
import { TrendRows } from '../../support/trend-rows.ts'

/** The grounds of each alert that the code raises as a report function. */
async function groundsOf(
  t: TestContext,
  code: string,
  {
    answers = 'at once',
    report = {},
  }: { readonly answers?: 'at once' | 'later'; readonly report?: object } = {},
): Promise<readonly (RaiseGrounds | undefined)[]> {
  const rows = new TrendRows(answers)
  const lua = startLua(t, {
    mode: 'policy',
    functions: [
      ...trendFunctions(rows),
      ...alertFunctions({ settings: new SettingsCollector(), ask: () => assert.fail('nothing is asked') }),
    ],
    types: [trendDatabaseType(rows)],
  })
  await lua.values(`${DEFINE_ALL_FIELDS} raise = function() raiseAlert{rule="r", message="m"} end`)
  const context = createRunContext('report', 'report', START_SECONDS, loginReport(report))
  const outcome = await lua.state.run(context, await lua.fn(`function() ${code} end`), [])
  assert.ok(outcome.ok, outcome.ok ? '' : outcome.error.message)
  return (context.effects.alerts ?? []).map((effect) =>
    effect.kind === 'raise' && effect.grounds !== undefined
      ? // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- that is what it says of itself
        (JSON.parse(effect.grounds) as RaiseGrounds)
      : undefined,
  )
}

function readsOf({ reads }: { readonly reads: string }): readonly TrendRead[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as above
  return JSON.parse(reads) as readonly TrendRead[]
}

const AT = { first: START_SECONDS, last: START_SECONDS }
const ADD = `db:twAdd("k", "count", 3) db:twAdd("k", "devices", "phone") db:twAdd("k", "place", "Bern")
  db:twAdd("k", "hitters", "ann", 4) db:twAdd("k", "proto", "imap", 2) db:twAdd("k", "usual", 5)`

const READS: readonly (readonly [code: string, read: Omit<TrendRead, 'database' | 'key'>])[] = [
  ['db:twGet("k", "count")', { call: 'twGet', field: 'count', answer: 3 }],
  ['db:twGetCurrent("k", "count")', { call: 'twGetCurrent', field: 'count', answer: 3 }],
  ['db:twGetWindows("k", "count")', { call: 'twGetWindows', field: 'count', answer: [3, 0, 0, 0] }],
  ['db:twGet("k", "proto", "imap")', { call: 'twGet', field: 'proto', item: 'imap', answer: 2 }],
  ['db:twSeen("k", "devices", "tablet")', { call: 'twSeen', field: 'devices', item: 'tablet', answer: null }],
  [
    'db:twSeen("k", "devices", "phone")',
    { call: 'twSeen', field: 'devices', item: 'phone', answer: { ...AT, count: 1 } },
  ],
  [
    'db:twItems("k", "devices")',
    { call: 'twItems', field: 'devices', answer: [{ item: 'phone', ...AT, count: 1 }] },
  ],
  [
    'db:twItems("k", "devices", 1)',
    { call: 'twItems', field: 'devices', item: '1', answer: [{ item: 'phone', ...AT, count: 1 }] },
  ],
  [
    'db:twTop("k", "hitters", 2)',
    { call: 'twTop', field: 'hitters', item: '2', answer: [{ item: 'ann', count: 4 }] },
  ],
  ['db:twLast("k", "place")', { call: 'twLast', field: 'place', answer: ['Bern', START_SECONDS] }],
  ['db:twScore("k", "usual", 1.5)', { call: 'twScore', field: 'usual', item: '1.5', answer: null }],
]

for (const answers of ['at once', 'later'] as const) {
  describe(`an alert keeps what its run had read, from a store that answers ${answers}`, () => {
    for (const [code, read] of READS) {
      test(code, async (t) => {
        const [grounds] = await groundsOf(t, `${ADD} local _ = ${code} raise()`, { answers })
        assert.deepEqual(grounds?.reads, [{ database: 'test', key: 'k', ...read }])
      })
    }
  })
}

test('each alert of a run has what was read until then', async (t) => {
  const all = await groundsOf(
    t,
    'raise() db:twGet("a", "count") raise() raise() db:twGet("b", "count") raise()',
  )
  assert.deepEqual(
    all.map((grounds) => grounds?.reads.map(({ key }) => key)),
    [[], ['a'], ['a'], ['a', 'b']],
  )
})

test('of very many alerts of one run only the first keep what was read', async (t) => {
  const all = await groundsOf(t, 'db:twGet("a", "count") for _ = 1, 65 do raise() end')
  assert.deepEqual(
    all.map((grounds) => grounds?.reads.length),
    [...Array.from({ length: EVIDENCE_LIMITS.raisesWithReads }, () => 1), 0],
  )
  assert.equal(all.at(-1)?.earlierReads, 1)
})

test('of the report the hash of the password is not kept, nor more than a bounded part of its texts', async (t) => {
  const [grounds] = await groundsOf(t, 'raise()', {
    report: {
      pwhash: 'c0de',
      session_id: 'secret',
      device_id: 'x'.repeat(5000),
      protocol: 'imap',
      tls: true,
    },
  })
  const text = JSON.stringify(grounds)
  assert.ok(!text.includes('c0de') && !text.includes('secret'), text)
  assert.deepEqual([grounds?.report?.protocol, grounds?.report?.tls], ['imap', true])
  assert.equal(grounds?.report?.deviceId, `${'x'.repeat(EVIDENCE_LIMITS.textLength)}…`)
})

test('a question about the hash of the password does not keep it either', async (t) => {
  const [grounds] = await groundsOf(
    t,
    `db:twAdd("c0de", "devices", "c0de") db:twAdd("k", "place", "c0de") db:twSeen("c0de", "devices", "c0de")
     db:twItems("c0de", "devices") db:twLast("k", "place") db:twGet("c0de and more", "count") raise()`,
    { report: { pwhash: 'c0de' } },
  )
  const hidden = '(password hash)'
  assert.deepEqual(
    grounds?.reads.map(({ key, item, answer }) => [key, item, answer]),
    [
      [hidden, hidden, { ...AT, count: 1 }],
      [hidden, undefined, [{ item: hidden, ...AT, count: 1 }]],
      ['k', undefined, [hidden, START_SECONDS]],
      // A longer text says nothing of itself; the manual says so.
      ['c0de and more', undefined, 0],
    ],
  )
})

test('the last questions are kept, as many as fit, and the others are counted', () => {
  const question = fc.record({ key: fc.string({ maxLength: 300 }), answer: fc.integer() })
  fc.assert(
    fc.property(fc.array(question, { maxLength: 200, size: 'max' }), (questions) => {
      const reads = new RunReads()
      for (const { key, answer } of questions) {
        const subject = {
          method: 'twGet',
          definition: { name: 'd' },
          key: textToBytes(key),
          field: { name: 'f' },
        }
        reads.note(subject, undefined, answer)
      }
      const described = reads.describe()
      const { earlierReads } = described
      const kept = readsOf(described)
      const expected = questions.slice(questions.length - kept.length).map(({ answer }) => answer)
      assert.deepEqual(
        kept.map(({ answer }) => answer),
        expected,
      )
      assert.equal(kept.length + earlierReads, questions.length)
      assert.ok(kept.length <= EVIDENCE_LIMITS.reads)
      const bytes = kept.reduce((sum, read) => sum + Buffer.byteLength(JSON.stringify(read)), 0)
      assert.ok(bytes <= EVIDENCE_LIMITS.readsBytes)
      // Whatever is kept, one more of the largest size would not have fitted, or there was none.
      const isFull = kept.length === EVIDENCE_LIMITS.reads || bytes > EVIDENCE_LIMITS.readsBytes - 2048
      assert.ok(earlierReads === 0 || isFull)
    }),
  )
})

test('of a long answer the first entries are kept, with how many there were', () => {
  const reads = new RunReads()
  const subject = {
    method: 'twItems',
    definition: { name: 'd' },
    key: textToBytes('k'),
    field: { name: 'f' },
  }
  reads.note(
    subject,
    undefined,
    Array.from({ length: 100 }, (_, item) => ({ item: String(item) })),
  )
  const [read] = readsOf(reads.describe())
  assert.equal(read?.entries, 100)
  assert.deepEqual(
    read.answer,
    Array.from({ length: EVIDENCE_LIMITS.entries }, (_, item) => ({ item: String(item) })),
  )
})
