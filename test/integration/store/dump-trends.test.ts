/** dumpStatsDB over the real store: every key in full, in pages that an answer of the control socket can hold. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { addressTypes } from '../../../src/lua/bindings/addresses.ts'
import { dumpFunctions } from '../../../src/lua/bindings/dump-trends.ts'
import { createRunContext } from '../../../src/lua/run-context.ts'
import { answerStoreQuestion } from '../../../src/policy/store-questions.ts'
import type { Outcome, Store } from '../../../src/store/store.ts'
import { RunChanges } from '../../../src/trends/run-changes.ts'
import type { TrendChange } from '../../../src/trends/trend-change.ts'
import { TrendRegistry } from '../../../src/trends/trend-registry.ts'
import { startLua } from '../../support/lua-harness.ts'
import { openPolicyStore } from '../../support/policy-store.ts'
import { bytesOf, defined, fieldOf, START_SECONDS } from '../../support/trend-fixtures.ts'

const DEFINITION = defined({ options: { maxItemsPerKey: 4096 } })
const AT = { timeSeconds: START_SECONDS }

function outcome(rows: Readonly<Record<string, readonly TrendChange[]>>): Outcome {
  const changes = new RunChanges()
  for (const [key, made] of Object.entries(rows)) {
    for (const change of made) assert.ok(changes.add(DEFINITION.name, bytesOf(key), change))
  }
  return { kind: 'done', reportId: undefined, deltas: changes.encode(), messages: [], commit: undefined }
}

function counted(amount: number): readonly TrendChange[] {
  return [{ op: 'int-add', fieldId: fieldOf(DEFINITION, 'count').id, amount, ...AT }]
}

function seen(count: number): readonly TrendChange[] {
  const fieldId = fieldOf(DEFINITION, 'devices').id
  return Array.from({ length: count }, (_, index) => {
    return { op: 'seen-add', fieldId, item: bytesOf(`${index}-${'x'.repeat(900)}`), count: 1, ...AT } as const
  })
}

/** Calls `dumpStatsDB(name, after, limit)` as a run would. */
function dumper(t: TestContext, store: Store) {
  const registry = new TrendRegistry()
  registry.adopt(DEFINITION)
  const sendTest = () => Promise.reject(new Error('nothing is sent here'))
  const askAlerts = () => Promise.reject(new Error('there are no alerts here'))
  const ask = (question: Parameters<typeof answerStoreQuestion>[1]) =>
    answerStoreQuestion({ store, now: () => 0, onResent: () => undefined, sendTest, askAlerts }, question)
  const lua = startLua(t, {
    mode: 'policy',
    functions: dumpFunctions({ registry, ask }),
    types: addressTypes(),
  })
  return async (args: string): Promise<{ readonly lines: string; readonly next: string | undefined }> => {
    const fn = await lua.fn(`function() return dumpStatsDB(${args}) end`)
    const run = await lua.state.run(createRunContext('report', 'report', START_SECONDS), fn, [])
    if (!run.ok) throw new Error(run.error.message)
    const [lines, next] = run.values
    assert.ok(typeof lines === 'string')
    return { lines, next: typeof next === 'string' ? next : undefined }
  }
}

test('every key comes once and in full, whatever the limit, and no page is too large', async (t) => {
  const store = await openPolicyStore(t, [DEFINITION])
  const plain = Array.from({ length: 700 }, (_, index) => `key ${index}`)
  const large = ['', 'big', 'large']
  await store.commit([
    outcome(Object.fromEntries(plain.map((key, index) => [key, counted(index + 1)]))),
    outcome(Object.fromEntries(large.map((key) => [key, seen(300)]))),
  ])
  const dump = dumper(t, store)
  for (const limit of [1, 7, 10_000]) {
    const lines: {
      readonly key: string
      readonly fields: Record<string, { items?: unknown[]; value?: number }>
    }[] = []
    let after = '""'
    for (let pages = 0; ; pages++) {
      assert.ok(pages < 2000, 'it does not end')
      const page = await dump(`"test", ${after}, ${limit}`)
      assert.ok(Buffer.byteLength(page.lines) < 60_000)
      for (const line of page.lines.split('\n')) if (line !== '') lines.push(JSON.parse(line))
      if (page.next === undefined) break
      after = JSON.stringify(page.next)
    }
    const keys = [...new Set(lines.map(({ key }) => key))]
    assert.deepEqual(keys, [...plain, ...large].toSorted())
    for (const [index, key] of plain.entries()) {
      const own = lines.filter((line) => line.key === key)
      assert.deepEqual([own.length, own[0]?.fields['count']?.value], [1, index + 1])
    }
    for (const key of large) {
      const items = lines
        .filter((line) => line.key === key)
        .flatMap((line) => line.fields['devices']?.items ?? [])
      assert.equal(items.length, 300, key)
    }
  }
})

test('a row that goes away between two pages takes nothing of the others with it', async (t) => {
  const store = await openPolicyStore(t, [DEFINITION])
  await store.commit([outcome({ big: seen(300), later: counted(1) })])
  const dump = dumper(t, store)
  const { next } = await dump('"test"')
  assert.ok(next !== undefined)
  assert.equal((await store.forgetLogin('big')).trendRows, 1)
  const { lines } = await dump(`"test", ${JSON.stringify(next)}`)
  assert.deepEqual(
    lines.split('\n', 1).map((line) => (JSON.parse(line) as { readonly key: string }).key),
    ['later'],
  )
})

test('a database that is not defined, or a place that it never gave, is an error', async (t) => {
  const store = await openPolicyStore(t, [DEFINITION])
  const dump = dumper(t, store)
  await assert.rejects(dump('"nobody"'), /there is no trend database "nobody"/)
  await assert.rejects(dump('"test", "no place"'), /after is no text that dumpStatsDB returned/)
  await assert.rejects(dump('"test", "", 0'), /from 1 to 10000/)
  assert.deepEqual(await dump('"test"'), { lines: '', next: undefined })
})
