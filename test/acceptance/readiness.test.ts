/** What /command/readyz says while policy workers come and go. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually, metric } from '../support/ask-server.ts'
import { DEBUGGER_ENV, killThread } from '../support/kill-thread.ts'
import { BASE_CONFIGURATION, startServer } from '../support/server-process.ts'

const RESTARTS = 'trackalert_worker_restarts_total{reason="exit"}'

test('while one policy worker is replaced and another runs, the server is ready', async (t) => {
  const server = await startServer(t, {
    configuration: `${BASE_CONFIGURATION}setNumLuaStates(2)`,
    env: DEBUGGER_ENV,
  })
  await killThread(server, 'policy')
  await eventually('the lost worker is not noticed', async () => (await metric(server, RESTARTS)) === 1)
  for (let tries = 0; tries < 20; tries++) {
    assert.equal((await server.get('/command/readyz')).status, 200)
  }
})

test('while the only policy worker is replaced it is not, and says why', async (t) => {
  const server = await startServer(t, {
    configuration: `${BASE_CONFIGURATION}setNumLuaStates(1)`,
    env: DEBUGGER_ENV,
  })
  await killThread(server, 'policy')
  const answer = await server.get('/command/readyz')
  assert.equal(answer.status, 503)
  assert.match(await answer.text(), /no policy worker is running/)
  await eventually('it does not become ready again', async () => {
    return (await server.get('/command/readyz')).status === 200
  })
})
