/** GeoIP files that are replaced while the server runs. */
import assert from 'node:assert/strict'
import { rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { createGeoFiles } from '../../../src/app/geo-files.ts'
import { collectGeoDatabase } from '../../../src/config/collect-geo-database.ts'
import type { CollectedGeoDatabase } from '../../../src/config/settings-collector.ts'
import { startApp, type AppInProcess } from '../../support/app-in-process.ts'
import { eventually } from '../../support/ask-server.ts'
import { temporaryDirectory } from '../../support/embedded-store.ts'
import { mmdbFile } from '../../support/mmdb-file.ts'
import { BASE_CONFIGURATION } from '../../support/server-process.ts'
import { rememberingLog } from '../../support/silent-log.ts'

const DAY_SECONDS = 86_400

/** A database in which the test's network is in this country. */
function fileOf(code: string, ageDays = 1): Uint8Array {
  const builtAt = Math.floor(Date.now() / 1000) - ageDays * DAY_SECONDS
  return new Uint8Array(mmdbFile({ '192.0.2.0/24': { country: { iso_code: code } } }, { builtAt }))
}

/** As the tools that fetch such files do. */
async function replaceFile(path: string, content: Uint8Array): Promise<void> {
  await writeFile(`${path}.new`, content)
  await rename(`${path}.new`, path)
}

async function startWithDatabase(t: TestContext): Promise<AppInProcess & { readonly path: string }> {
  const server = await startApp(
    t,
    `${BASE_CONFIGURATION}
    setNumLuaStates(2)
    newGeoIP2DB("test", "FOLDER/test.mmdb")
    local db = getGeoIP2DB("test")
    setCustomEndpoint("country", function() return true, {code=db:lookupCountry("192.0.2.1")} end)`,
    { files: { 'test.mmdb': fileOf('FI', 10) }, geoFilesEveryMs: 20 },
  )
  return { ...server, path: join(server.folder, 'test.mmdb') }
}

async function country(server: AppInProcess): Promise<string | undefined> {
  const { body } = await server.post('/command/country', {})
  return /"code":"(\w*)"/.exec(body)?.[1]
}

async function metric(server: AppInProcess, line: string): Promise<number> {
  const { body } = await server.get('/metrics')
  const found = body.split('\n').find((candidate) => candidate.startsWith(`${line} `))
  return Number(found?.slice(line.length + 1) ?? Number.NaN)
}

const AGE = 'trackalert_geoip_age_seconds{database="test"}'
const FAILED = 'trackalert_geoip_reloads_total{database="test",status="failed"}'
const TAKEN = 'trackalert_geoip_reloads_total{database="test",status="ok"}'

describe('a GeoIP file that is replaced', () => {
  test('is taken over by itself, by objects that Lua code holds too; its age is a metric', async (t) => {
    const server = await startWithDatabase(t)
    assert.equal(await country(server), 'FI')
    assert.ok(Math.abs((await metric(server, AGE)) - 10 * DAY_SECONDS) < 60)
    await replaceFile(server.path, fileOf('SE', 2))
    await eventually('the new file is not in use', async () => (await country(server)) === 'SE')
    assert.ok(Math.abs((await metric(server, AGE)) - 2 * DAY_SECONDS) < 60)
    assert.equal(await metric(server, TAKEN), 1)
    // And again, which shows that the first time has left nothing behind.
    await replaceFile(server.path, fileOf('NO'))
    await eventually('the next file is not in use', async () => (await country(server)) === 'NO')
  })

  test('by one that is damaged stays in use; the log and a metric say so once for each damaged file', async (t) => {
    const server = await startWithDatabase(t)
    const whole = fileOf('SE')
    await replaceFile(server.path, whole.subarray(0, whole.length / 2))
    await eventually('the damaged file is not seen', async () => (await metric(server, FAILED)) === 1)
    assert.match(server.output(), /a GeoIP file was replaced by one that cannot be used.*test\.mmdb/)
    assert.equal(await country(server), 'FI')
    await replaceFile(server.path, whole)
    await eventually('the mended file is not in use', async () => (await country(server)) === 'SE')
    await rm(server.path)
    await eventually('the missing file is not seen', async () => (await metric(server, FAILED)) === 2)
    assert.equal(await country(server), 'SE')
  })

  test('is taken over at once when asked for, and a reason is given when it cannot be', async (t) => {
    const server = await startApp(
      t,
      `${BASE_CONFIGURATION}
      newGeoIP2DB("test", "FOLDER/test.mmdb")
      setCustomEndpoint("country", function() return true, {code=getGeoIP2DB("test"):lookupCountry("192.0.2.1")} end)`,
      { files: { 'test.mmdb': fileOf('FI') } },
    )
    const path = join(server.folder, 'test.mmdb')
    await replaceFile(path, fileOf('SE'))
    assert.deepEqual(await server.app.reloadGeoIp(), { ok: true })
    assert.equal(await country(server), 'SE')
    await replaceFile(path, Buffer.from('nothing of the kind'))
    const outcome = await server.app.reloadGeoIp()
    assert.ok(!outcome.ok)
    assert.match(outcome.reason, /test\.mmdb: it is no MaxMind DB file/)
    assert.equal(await country(server), 'SE')
    // The configuration is refused too as long as it names that file, and taken once the file is good.
    assert.equal((await server.app.reload()).ok, false)
    await replaceFile(path, fileOf('NO'))
    assert.deepEqual(await server.app.reload(), { ok: true })
    assert.equal(await country(server), 'NO')
  })
})

describe('looking at the files', () => {
  async function watched(t: TestContext) {
    const path = join(await temporaryDirectory(t), 'test.mmdb')
    await writeFile(path, fileOf('FI'))
    const taken: CollectedGeoDatabase[] = []
    let inUse = collectGeoDatabase('test', path).collected
    const { log, lines } = rememberingLog()
    const files = createGeoFiles({
      log,
      metrics: { geoReloads: { inc: () => undefined } },
      emit: () => undefined,
      databases: () => [inUse],
      replace(database) {
        inUse = database
        taken.push(database)
      },
      everyMs: 60_000,
    })
    return { path, files, taken, lines }
  }

  test('reads a changed file when two looks in a row find it the same, not while it is being written', async (t) => {
    const { path, files, taken } = await watched(t)
    await files.look()
    const content = fileOf('SE')
    for (const share of [0.25, 0.5, 0.75, 1]) {
      await writeFile(path, content.subarray(0, Math.floor(content.length * share)))
      await files.look()
      assert.equal(taken.length, 0)
    }
    await files.look()
    assert.equal(taken.length, 1)
    await files.look()
    await files.look()
    assert.equal(taken.length, 1)
  })

  test('tries a damaged file once', async (t) => {
    const { path, files, taken, lines } = await watched(t)
    await replaceFile(path, Buffer.from('damaged'))
    for (let looks = 0; looks < 5; looks++) await files.look()
    assert.equal(taken.length, 0)
    assert.equal(lines.filter(({ level }) => level === 'error').length, 1)
  })
})
