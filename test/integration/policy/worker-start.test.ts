/** Threads whose Lua state cannot be built, or not in time. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { policyThreads } from '../../../src/policy/policy-thread-starter.ts'
import { WorkerHandle } from '../../../src/policy/worker-handle.ts'
import { openPolicyStore } from '../../support/policy-store.ts'
import { silentLog } from '../../support/silent-log.ts'
import { workerSetup } from '../../support/worker-setup.ts'

async function createWorker(t: TestContext, source: string, startDeadlineMs: number): Promise<WorkerHandle> {
  const store = await openPolicyStore(t, [])
  let workers = 0
  const worker = new WorkerHandle(
    {
      log: silentLog,
      onNotice: () => undefined,
      onLost: () => undefined,
      openReader: () => ({ ...store.readerAccess(), worker: ++workers }),
      answer: () => Promise.resolve({ kind: 'done', found: false }),
    },
    {
      index: 0,
      threads: policyThreads(128),
      startDeadlineMs,
      setup: workerSetup({ source, timeSource: 'receipt' }),
    },
  )
  t.after(() => worker.stop())
  return worker
}

test('a worker that is not ready in time is ended, and the start fails', async (t) => {
  // Backtracks for years inside the engine, where no limit of Lua code can reach it.
  const stuck =
    'local n = 40 string.find(string.rep("a", n), string.rep("a?", n) .. string.rep("a", n) .. "b")'
  const worker = await createWorker(t, stuck, 1500)
  await assert.rejects(worker.start(), { code: 'TRK_WORKER_LOST', message: /was not ready within 1\.5 s/ })
})

test('a worker whose configuration fails says where', async (t) => {
  const worker = await createWorker(t, 'local x = 1\nerror("only here")', 20_000)
  await assert.rejects(worker.start(), {
    code: 'TRK_CONFIG_INVALID',
    message: /\/nowhere\/trackalert\.conf:2: only here/,
  })
})

test('a worker with a good configuration is running when its start has ended', async (t) => {
  const worker = await createWorker(t, '', 20_000)
  await worker.start()
  assert.equal(worker.state, 'running')
})
