/**
 * How long things take: acknowledgements at half load, the start, a report's way to a webhook.
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import {
  makeBenchFolder,
  removeBenchFolder,
  startBenchServer,
  startServerIn,
  type LoadClient,
} from './bench-processes.ts'
import { measureDiskAlone } from './disk-alone.ts'
import { figure, type Figure } from './figures.ts'
import { POLICIES } from './policies.ts'
import type { Effort } from './turns.ts'

const CONNECTIONS = 64

/** Latency at half of the throughput that the server has just shown, by turns with that of the disk alone. */
export async function measureLatency(client: LoadClient, effort: Effort): Promise<readonly Figure[]> {
  const server = await startBenchServer(POLICIES.sevenOperations)
  const order = { url: server.url, path: '/command/report', body: 'report', connections: 32 } as const
  try {
    await client.run({ ...order, requests: effort.warmUpRequests })
    await server.backlogEmpty()
    const full = await client.run({ ...order, requests: effort.requests })
    const fullSeconds = ((await server.backlogEmpty()) - full.startedAtMs) / 1000
    const requestsPerSecond = Math.max(1, effort.requests / fullSeconds / 2)
    const rounds = []
    const diskAlone = []
    for (let count = 0; count < effort.rounds; count++) {
      rounds.push(
        await client.run({
          ...order,
          connections: CONNECTIONS,
          requests: effort.requests,
          requestsPerSecond,
        }),
      )
      await server.backlogEmpty()
      diskAlone.push(await measureDiskAlone(effort.requests, requestsPerSecond))
    }
    return [
      figure(
        'p50, ms',
        rounds.map(({ latency }) => latency.p50),
      ),
      figure(
        'p99, ms',
        rounds.map(({ latency }) => latency.p99),
        '<= 15',
      ),
      figure(
        'p99.9, ms',
        rounds.map(({ latency }) => latency.p999),
      ),
      figure(
        'the disk alone, p99, ms',
        diskAlone.map(({ p99 }) => p99),
      ),
      figure('reports a second', [requestsPerSecond]),
    ]
  } finally {
    await server.stop()
  }
}

/** From the start of the process to its line `ready`: the first with an empty state directory, and those that follow it. */
export async function measureStart(_client: LoadClient, { rounds }: Effort): Promise<readonly Figure[]> {
  const folder = await makeBenchFolder()
  const startsMs: number[] = []
  try {
    // The second one fills the cache of compiled code.
    for (let count = 0; count < rounds + 2; count++) {
      const server = await startServerIn(folder, POLICIES.sevenOperations)
      startsMs.push(server.readyMs)
      await server.stop()
    }
  } finally {
    await removeBenchFolder(folder)
  }
  return [
    figure('start to ready, ms', startsMs.slice(2), '<= 1000'),
    figure('the first start, ms', startsMs.slice(0, 1)),
  ]
}

/** From sending a report to its webhook at the receiver, one after another. */
export async function measureWebHook(client: LoadClient, effort: Effort): Promise<readonly Figure[]> {
  let arrived = Promise.withResolvers<number>()
  const receiver = createServer((request, response) => {
    request.resume()
    arrived.resolve(performance.timeOrigin + performance.now())
    response.end()
  })
  receiver.listen(0, '127.0.0.1')
  await once(receiver, 'listening')
  const address = receiver.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const server = await startBenchServer(POLICIES.webHook(`http://127.0.0.1:${port}`))
  const order = {
    url: server.url,
    path: '/command/report',
    body: 'report',
    connections: 1,
    requests: 1,
  } as const
  const times: number[] = []
  try {
    const count = Math.min(effort.rounds * 100, effort.requests)
    for (let number = 0; number < count * 2; number++) {
      arrived = Promise.withResolvers()
      const { startedAtMs } = await client.run(order)
      const tookMs = (await arrived.promise) - startedAtMs
      // The first half is the warm-up.
      if (number >= count) times.push(tookMs)
    }
  } finally {
    await server.stop()
    receiver.close()
    receiver.closeAllConnections()
  }
  return [figure('report to webhook, ms', times, '<= 20')]
}
