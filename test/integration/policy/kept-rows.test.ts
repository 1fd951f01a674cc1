/** Rows that policy workers keep, over the embedded store: what makes a worker read them again. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { openTrendReader } from '../../../src/store/embedded/trend-reader.ts'
import { parseTrendDefinition } from '../../../src/trends/trend-definition.ts'
import { openPolicyStore } from '../../support/policy-store.ts'
import { startPolicyRun, type PolicyRun } from '../../support/policy-run.ts'

const POLICY = `
newStringStatsDB("seen", 3600, 24, { count = "int" })
local db = getStringStatsDB("seen")
setReport(function(lt) db:twAdd(lt.login, "count", 1) end)
setCustomEndpoint("count", function(args)
  return true, { count = tostring(db:twGet(args.attrs.login, "count")) }
end)
`

interface Rig {
  readonly store: Awaited<ReturnType<typeof openPolicyStore>>
  readonly workers: readonly [PolicyRun, PolicyRun]
}

/** Two workers; in the server a login has one of them, but addresses have both. */
async function twoWorkers(t: TestContext): Promise<Rig> {
  const parsed = parseTrendDefinition({
    name: 'seen',
    windowSeconds: 3600,
    windowCount: 24,
    fields: new Map([['count', 'int']]),
  })
  assert.ok(parsed.ok)
  const store = await openPolicyStore(t, [parsed.definition])
  const start = async (worker: number): Promise<PolicyRun> =>
    startPolicyRun({
      source: POLICY,
      store,
      reader: await openTrendReader({ ...store.readerAccess(), worker }),
      worker,
      timeSource: 'receipt',
    })
  return { store, workers: [await start(1), await start(2)] }
}

async function countOf(worker: PolicyRun): Promise<unknown> {
  const answer = await worker.call('count', { login: 'ann' })
  assert.ok(typeof answer === 'object' && answer !== null && 'attributes' in answer)
  const { attributes } = answer
  assert.ok(typeof attributes === 'object' && attributes !== null && 'count' in attributes)
  return attributes.count
}

async function reportAndCommit(worker: PolicyRun): Promise<void> {
  await worker.report([{ login: 'ann' }])
  await worker.ended()
  await worker.commit()
}

test('a worker sees what another one has changed, and what it changed itself, again and again', async (t) => {
  const { workers } = await twoWorkers(t)
  const [first, second] = workers
  try {
    for (let round = 1; round <= 5; round++) {
      await reportAndCommit(first)
      assert.equal(await countOf(first), String(2 * round - 1))
      await reportAndCommit(second)
      assert.equal(await countOf(second), String(2 * round))
    }
    assert.equal(await countOf(first), '10')
  } finally {
    await first.close()
    await second.close()
  }
})

test('a worker sees that somebody was forgotten, or that a row has expired', async (t) => {
  const { store, workers } = await twoWorkers(t)
  const [first, second] = workers
  try {
    // Often enough that the row is the worker's own.
    for (let round = 0; round < 3; round++) await reportAndCommit(first)
    assert.equal(await countOf(first), '3')
    await store.forgetLogin('ann')
    assert.equal(await countOf(first), '0')
    await reportAndCommit(first)
    assert.equal(await countOf(first), '1')
    await store.expire(Date.now() + 48 * 3_600_000)
    assert.equal(await countOf(first), '0')
  } finally {
    await first.close()
    await second.close()
  }
})
