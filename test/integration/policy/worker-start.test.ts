/** Threads whose Lua state cannot be built, or not in time. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { WorkerHandle } from '../../../src/policy/worker-handle.ts'
import { silentLog } from '../../support/silent-log.ts'

function createWorker(t: TestContext, source: string, startDeadlineMs: number): WorkerHandle {
  const worker = new WorkerHandle(
    { log: silentLog, onNotice: () => undefined, onLost: () => undefined },
    {
      index: 0,
      memoryLimitMb: 128,
      startDeadlineMs,
      setup: {
        configFile: '/nowhere/trackalert.conf',
        configSource: Buffer.from(source),
        stateDirectory: '/nowhere/state',
        regexesFile: fileURLToPath(new URL('../../../regexes.yaml', import.meta.url)),
        webHookNames: [],
        customStats: [],
        tlsClient: {
          verifyPeer: true,
          verifyHost: true,
          caBundleFile: null,
          clientCertificateFile: null,
          clientKeyFile: null,
        },
        geoDatabases: [],
        limits: { cpuMs: 2000, wallMs: 30_000 },
        environment: {},
      },
    },
  )
  t.after(() => worker.stop())
  return worker
}

test('a worker that is not ready in time is ended, and the start fails', async (t) => {
  // Backtracks for years inside the engine, where no limit of Lua code can reach it.
  const stuck =
    'local n = 40 string.find(string.rep("a", n), string.rep("a?", n) .. string.rep("a", n) .. "b")'
  const worker = createWorker(t, stuck, 1500)
  await assert.rejects(worker.start(), { code: 'TRK_WORKER_LOST', message: /was not ready within 1\.5 s/ })
})

test('a worker whose configuration fails says where', async (t) => {
  const worker = createWorker(t, 'local x = 1\nerror("only here")', 20_000)
  await assert.rejects(worker.start(), {
    code: 'TRK_CONFIG_INVALID',
    message: /\/nowhere\/trackalert\.conf:2: only here/,
  })
})

test('a worker with a good configuration is running when its start has ended', async (t) => {
  const worker = createWorker(t, '', 20_000)
  await worker.start()
  assert.equal(worker.state, 'running')
})
