/** The threads of a replay, as the command starts them. */
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { encodeLoginReport } from '../../../src/login/report-codec.ts'
import { parseLine } from '../../../src/replay/parse-line.ts'
import { loadPolicy } from '../../../src/replay/load-policy.ts'
import type { ReportBatch } from '../../../src/replay/messages.ts'
import { ReplayEngine } from '../../../src/replay/replay-engine.ts'
import { HASH_SEED_BYTES } from '../../../src/trends/item-hash.ts'
import { atEnd } from '../../support/clean-up.ts'
import { temporaryDirectory } from '../../support/embedded-store.ts'

const REGEXES = fileURLToPath(new URL('../../../regexes.yaml', import.meta.url))

async function engineOf(t: TestContext, policy: string, silenceMs: number): Promise<ReplayEngine> {
  const configFile = join(await temporaryDirectory(t), 'trackalert.conf')
  await writeFile(configFile, policy)
  const setup = await loadPolicy({
    configFile,
    regexesFile: REGEXES,
    environment: {},
    isOnline: false,
    hashSeed: new Uint8Array(HASH_SEED_BYTES),
  })
  const engine = await ReplayEngine.start(setup, silenceMs)
  atEnd(t, () => engine.stop())
  return engine
}

function batchOf(logins: readonly string[]): ReportBatch {
  const texts = logins.map((login, index) => {
    const parsed = parseLine(
      JSON.stringify({ login, remote: '192.0.2.1', success: true, t: 1_767_571_200 + index }),
    )
    return parsed.kind === 'report' ? encodeLoginReport(parsed.report) : assert.fail(login)
  })
  return {
    text: texts.join('\n'),
    ids: Float64Array.from(logins, (_, index) => 101 + index),
    nowSeconds: Float64Array.from(logins, (_, index) => 1_767_571_200 + index),
  }
}

test(
  'a run that nothing can stop ends the replay with its report, and not never',
  { timeout: 120_000 },
  async (t) => {
    const policy = `setReport(function(lt)
    if lt.login == "bad" then string.find(string.rep("a", 60), string.rep("a-", 60) .. "b") end
  end)`
    const engine = await engineOf(t, policy, 3000)
    assert.deepEqual(await engine.run(batchOf(['ann', 'bob'])), [])
    await assert.rejects(engine.run(batchOf(['ann', 'bad', 'bob'])), {
      code: 'TRK_WORKER_LOST',
      message: /report 102 .* string\.find/,
    })
    await assert.rejects(engine.end(), { code: 'TRK_WORKER_LOST' })
  },
)

test('a batch of many runs may take longer', { timeout: 120_000 }, async (t) => {
  const policy = `setReport(function(lt)
    for i = 1, 1000000 do local x = i end
    raiseAlert{rule="done", key=lt.login, message="m"}
  end)`
  const engine = await engineOf(t, policy, 3000)
  const logins = Array.from({ length: 60 }, (_, index) => `user${index}`)
  assert.equal((await engine.run(batchOf(logins))).length, 60)
})
