import assert from 'node:assert/strict'
import { chmod, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { BASE_CONFIGURATION, startServer } from '../support/server-process.ts'

const configuration = `${BASE_CONFIGURATION}setReport(function(lt) end)`

async function keptFiles(folder: string): Promise<readonly string[]> {
  return await readdir(join(folder, 'state', 'compile-cache'), { recursive: true }).catch(() => [])
}

test('compiled code is kept in a state directory that is nobody else’s, from the second start on', async (t) => {
  const env = { NODE_COMPILE_CACHE: undefined }
  const first = await startServer(t, { configuration, env })
  const { folder } = first
  await first.stop()
  assert.deepEqual(await keptFiles(folder), [], 'there was no state directory at the first start')

  const second = await startServer(t, { configuration, folder, env })
  await second.stop()
  assert.ok((await keptFiles(folder)).length > 50, 'its modules')

  const third = await startServer(t, { configuration, folder, env })
  assert.equal(
    (await third.post('/command/report', { login: 'a', remote: '192.0.2.1', success: true })).status,
    200,
  )
})

test('nothing is kept in a state directory that others can reach', async (t) => {
  const env = { NODE_COMPILE_CACHE: undefined }
  const first = await startServer(t, { configuration, env })
  const { folder } = first
  await first.stop()
  await chmod(join(folder, 'state'), 0o755)
  const second = await startServer(t, { configuration, folder, env })
  await second.stop()
  assert.deepEqual(await keptFiles(folder), [])
})
