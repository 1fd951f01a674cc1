/** A GeoIP file that is replaced, as one policy worker and its successor see it. */
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { collectGeoDatabase } from '../../../src/config/collect-geo-database.ts'
import type { CollectedGeoDatabase } from '../../../src/config/settings-collector.ts'
import { createPolicyPool } from '../../../src/policy/policy-pool.ts'
import { policyThreads } from '../../../src/policy/policy-thread-starter.ts'
import { atEnd } from '../../support/clean-up.ts'
import { temporaryDirectory, temporaryStore } from '../../support/embedded-store.ts'
import { mmdbFile } from '../../support/mmdb-file.ts'
import { silentLog } from '../../support/silent-log.ts'
import { workerSetup } from '../../support/worker-setup.ts'

test('a worker that takes the place of a lost one looks up in the file that was put to use last', async (t) => {
  const { store } = await temporaryStore(t)
  const path = join(await temporaryDirectory(t), 'test.mmdb')
  const databaseOf = async (country: string): Promise<CollectedGeoDatabase> => {
    await writeFile(path, new Uint8Array(mmdbFile({ '192.0.2.0/24': { country: { iso_code: country } } })))
    return collectGeoDatabase('test', path).collected
  }
  const source = `
    setCustomEndpoint("country", function() return true, {code=getGeoIP2DB("test"):lookupCountry("192.0.2.1")} end)
    setCustomEndpoint("die", function() local hog = {} while true do hog[#hog + 1] = {#hog} end end)`
  const setup = workerSetup({ source, timeSource: 'receipt' })
  let workers = 0
  const pool = createPolicyPool(
    {
      log: silentLog,
      onRun: () => undefined,
      onNotice: () => undefined,
      onLost: () => undefined,
      openReader: () => ({ ...store.readerAccess(), worker: ++workers }),
      answer: () => Promise.resolve({ kind: 'done', found: false }),
    },
    {
      workers: 1,
      maxPendingForCalls: 10,
      threads: policyThreads(64),
      // Memory is to run out before the time does.
      setup: {
        ...setup,
        limits: { cpuMs: 60_000, wallMs: 60_000 },
        geoDatabases: [await databaseOf('FI')],
      },
    },
  )
  atEnd(t, () => pool.stop())
  await pool.start()
  const call = async (name: string): Promise<string | undefined> => {
    const outcome = await pool.runEndpoint(name, { attrs: {}, attrs_mv: {} })
    assert.ok(outcome !== undefined)
    if (!outcome.ok) return outcome.failure.code
    return outcome.answer?.kind === 'endpoint' ? outcome.answer.attributes['code'] : undefined
  }
  assert.equal(await call('country'), 'FI')
  pool.replaceGeoDatabase(await databaseOf('SE'))
  assert.equal(await call('country'), 'SE')
  assert.equal(await call('die'), 'TRK_WORKER_LOST')
  assert.equal(await call('country'), 'SE')
  assert.ok(workers > 1)
})
