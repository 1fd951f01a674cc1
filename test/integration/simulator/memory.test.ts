import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'

test('a year is told in memory that would not hold it', async (t) => {
  const worker = new Worker(new URL('../../support/simulation-worker.ts', import.meta.url), {
    // Its reports alone are more than three times that.
    resourceLimits: { maxOldGenerationSizeMb: 40, maxYoungGenerationSizeMb: 16 },
  })
  t.after(() => worker.terminate())
  const [count]: readonly unknown[] = (await once(worker, 'message')) as unknown[]
  assert.ok(typeof count === 'number' && count > 300_000, String(count))
})
