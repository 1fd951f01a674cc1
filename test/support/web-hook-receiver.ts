/**
 * A receiver of webhooks on a real socket: remembers every request, and misbehaves as it is told.
 */
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { TestContext } from 'node:test'

export interface ReceivedHook {
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
  readonly atMs: number
}

export interface WebHookReceiver {
  readonly url: string
  readonly received: readonly ReceivedHook[]
  /** Resolves when so many requests have come in. */
  readonly waitForCount: (count: number, deadlineMs?: number) => Promise<void>
}

type Behaviour = (request: IncomingMessage, response: ServerResponse, attempt: number) => void

const answerOk: Behaviour = (_request, response) => void response.end('ok')

/** @param behave answers a request; `attempt` counts all requests from 1. */
export async function startReceiver(t: TestContext, behave: Behaviour = answerOk): Promise<WebHookReceiver> {
  const received: ReceivedHook[] = []
  const watchers = new Set<() => void>()
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      received.push({
        url: request.url ?? '',
        headers: request.headers,
        body: Buffer.concat(chunks).toString(),
        atMs: performance.now(),
      })
      behave(request, response, received.length)
      for (const watch of watchers) watch()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    url: `http://127.0.0.1:${port}/hook`,
    received,
    waitForCount: (count, deadlineMs = 15_000) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (received.length < count) return
          clearTimeout(timer)
          watchers.delete(look)
          resolve()
        }
        const timer = setTimeout(() => {
          watchers.delete(look)
          reject(new Error(`${received.length} of ${count} webhooks came`))
        }, deadlineMs)
        watchers.add(look)
        look()
      }),
  }
}
