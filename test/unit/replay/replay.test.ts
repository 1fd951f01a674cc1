import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ReportBatch } from '../../../src/replay/messages.ts'
import { replay, type ReplayReport } from '../../../src/replay/replay.ts'

const END = {
  alerts: [],
  failures: [],
  failedRuns: 0,
  backgroundRuns: 0,
  backgroundGaps: 0,
  webHooks: 0,
} as const

/** What an engine is sent, in its order. */
async function batchesOf(reports: readonly ReplayReport[]): Promise<readonly ReportBatch[]> {
  const batches: ReportBatch[] = []
  const engine = {
    run: (batch: ReportBatch) => {
      batches.push(batch)
      return Promise.resolve([])
    },
    end: () => Promise.resolve(END),
  }
  async function* all(): AsyncGenerator<readonly ReplayReport[]> {
    yield reports
  }
  await replay(all(), [engine], () => undefined)
  return batches
}

const reportOf = (id: number, text: string): ReplayReport => ({ id, text, nowSeconds: id, mark: undefined })

test('reports of the largest size go in batches that a thread can be sent', async () => {
  const text = 'x'.repeat(1024 * 1024)
  const batches = await batchesOf(Array.from({ length: 40 }, (_, index) => reportOf(index, text)))
  for (const batch of batches) assert.ok(batch.text.length < 16 * 1024 * 1024, `${batch.text.length}`)
  assert.deepEqual(
    batches.flatMap(({ ids }) => [...ids]),
    Array.from({ length: 40 }, (_, index) => index),
  )
})

test('small reports go many at a time, and none is left', async () => {
  const batches = await batchesOf(Array.from({ length: 1200 }, (_, index) => reportOf(index, `{${index}}`)))
  assert.equal(batches.length, 3)
  assert.deepEqual(
    batches.flatMap((batch) => batch.text.split('\n')),
    Array.from({ length: 1200 }, (_, index) => `{${index}}`),
  )
})
