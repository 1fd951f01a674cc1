/** A receiver's connections, from the first try to the end. */
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { test, type TestContext } from 'node:test'
import { Receiver } from '../../../src/delivery/receiver.ts'
import type { HttpAttempt } from '../../../src/delivery/retry.ts'
import type { WebHookRequest } from '../../../src/delivery/web-hook-request.ts'
import { atEnd } from '../../support/clean-up.ts'
import { listenLocal } from '../../support/listen-local.ts'

interface Rig {
  readonly receiver: Receiver
  readonly request: (path: string) => WebHookRequest
  /** What has arrived. */
  readonly paths: readonly (string | undefined)[]
}

async function rig(t: TestContext): Promise<Rig> {
  const paths: (string | undefined)[] = []
  const server = createServer((request, response) => {
    paths.push(request.url)
    response.end('ok')
  })
  const origin = `http://127.0.0.1:${await listenLocal(t, server)}`
  const receiver = new Receiver(origin, { connections: 1, timeoutMs: 5_000, tls: {} })
  atEnd(t, () => receiver.close())
  return {
    receiver,
    paths,
    request: (path) => ({ url: new URL(path, origin), headers: {}, body: Buffer.from('x') }),
  }
}

const kindOf = (attempt: HttpAttempt): string => attempt.kind

test('a closed receiver sends nothing, whether or not it was used before', async (t) => {
  const unused = await rig(t)
  await unused.receiver.close()
  assert.equal(kindOf(await unused.receiver.send(unused.request('/late'))), 'failure')
  assert.equal(kindOf(await unused.receiver.sendOnFreshConnection(unused.request('/late'))), 'failure')
  assert.deepEqual(unused.paths, [])

  const used = await rig(t)
  assert.equal(kindOf(await used.receiver.send(used.request('/first'))), 'answer')
  await used.receiver.close()
  assert.equal(kindOf(await used.receiver.send(used.request('/late'))), 'failure')
  assert.deepEqual(used.paths, ['/first'])
})

test('a try that begins while the receiver closes fails, on whatever connection', async (t) => {
  const { receiver, request, paths } = await rig(t)
  const tries = [receiver.send(request('/pool')), receiver.sendOnFreshConnection(request('/fresh'))]
  await receiver.close()
  assert.deepEqual((await Promise.all(tries)).map(kindOf), ['failure', 'failure'])
  assert.deepEqual(paths, [])
})
