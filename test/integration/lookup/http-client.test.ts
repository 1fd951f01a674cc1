import assert from 'node:assert/strict'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { createServer as createTcpServer } from 'node:net'
import { test, type TestContext } from 'node:test'
import { createHttpClient, type HttpClient, type HttpClientOptions } from '../../../src/lookup/http-client.ts'
import { PLAIN_TLS } from '../../support/delivery-rig.ts'
import { listenLocal } from '../../support/listen-local.ts'
import { privateCa } from '../../support/private-ca.ts'

function startClient(t: TestContext, options: Partial<HttpClientOptions> = {}): HttpClient {
  const client = createHttpClient({ tls: PLAIN_TLS, ...options })
  t.after(() => client.close())
  return client
}

async function startServer(t: TestContext, listener: RequestListener): Promise<string> {
  return `http://127.0.0.1:${await listenLocal(t, createServer(listener))}`
}

/** Answers with the number of the request. */
async function startCounter(t: TestContext, status = 200): Promise<{ url: string; requests: () => number }> {
  let requests = 0
  const url = await startServer(t, (_request, response) => {
    requests += 1
    response.writeHead(status).end(String(requests))
  })
  return { url, requests: () => requests }
}

async function bodyOf(client: HttpClient, question: Parameters<HttpClient['request']>[0]): Promise<string> {
  const answer = await client.request(question)
  return answer.ok ? answer.body : answer.error
}

test('method, headers and body arrive, and status, headers and body come back', async (t) => {
  const url = await startServer(t, (request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      response.writeHead(
        418,
        [
          ['X-Method', request.method ?? ''],
          ['X-Url', request.url ?? ''],
          ['X-Got', request.headers['x-asked'] ?? ''],
          ['X-Many', 'a'],
          ['X-Many', 'b'],
        ].flat(),
      )
      response.end(Buffer.concat(chunks))
    })
  })
  const answer = await startClient(t).request({
    url: `${url}/path?q=1#fragment`,
    method: 'PUT',
    headers: { 'X-Asked': 'yes' },
    body: 'caf\udce9',
  })
  assert.ok(answer.ok)
  assert.equal(answer.status, 418)
  assert.equal(answer.body, 'caf\udce9')
  assert.equal(answer.headers['x-method'], 'PUT')
  assert.equal(answer.headers['x-url'], '/path?q=1')
  assert.equal(answer.headers['x-got'], 'yes')
  assert.equal(answer.headers['x-many'], 'a, b')
})

test('a redirect is an answer', async (t) => {
  const url = await startServer(
    t,
    (_request, response) => void response.writeHead(302, { location: '/x' }).end(),
  )
  const answer = await startClient(t).request({ url })
  assert.ok(answer.ok && answer.status === 302 && answer.headers['location'] === '/x')
})

test('credentials in the URL become basic authorization', async (t) => {
  const url = await startServer(t, (request, response) => void response.end(request.headers.authorization))
  const client = startClient(t)
  const withUser = url.replace('http://', 'http://user:p%40ss@')
  assert.equal(await bodyOf(client, { url: withUser }), `Basic ${btoa('user:p@ss')}`)
  assert.equal(await bodyOf(client, { url: withUser, headers: { authorization: 'Bearer x' } }), 'Bearer x')
})

const bad = [
  ['no URL', { url: 'nonsense' }, 'not a valid URL'],
  ['a URL without a host but with a password', { url: 'http://user:SECRET@' }, 'not a valid URL'],
  ['a file', { url: 'file:///etc/passwd' }, 'use http or https'],
  ['a tunnel', { url: 'http://127.0.0.1/', method: 'CONNECT' }, 'not a method'],
  ['a split header', { url: 'http://127.0.0.1/', headers: { a: 'SECRET\r\nb: c' } }, 'not valid HTTP'],
  ['a bad header name', { url: 'http://127.0.0.1/', headers: { 'a b': 'c' } }, 'not valid HTTP'],
] as const

for (const [name, question, reason] of bad) {
  test(`${name} is an error that says what is wrong, without secrets`, async (t) => {
    const answer = await startClient(t).request(question)
    assert.ok(!answer.ok)
    assert.ok(answer.error.includes(reason) && !answer.error.includes('SECRET'), answer.error)
  })
}

test('a server that is not there is an error that names it and no secret', async (t) => {
  const server = createTcpServer()
  const port = await listenLocal(t, server)
  await new Promise((resolve) => server.close(resolve))
  const answer = await startClient(t).request({
    url: `http://user:SECRET@127.0.0.1:${port}/SECRET?key=SECRET`,
  })
  assert.ok(!answer.ok)
  assert.equal(answer.error, `http://127.0.0.1:${port}: the connection could not be opened (ECONNREFUSED)`)
})

test('a server that does not answer costs no more than the time-out', async (t) => {
  const url = await startServer(t, () => undefined)
  const startedAtMs = performance.now()
  const answer = await startClient(t).request({ url, timeoutMs: 100 })
  const tookMs = performance.now() - startedAtMs
  assert.ok(!answer.ok && answer.error.includes('no answer came in time'))
  assert.ok(tookMs >= 90 && tookMs < 3000, `${tookMs} ms`)
})

test('a body that dribbles on beyond the time-out is an error', async (t) => {
  const url = await startServer(t, (_request, response) => void response.write('a'))
  const answer = await startClient(t).request({ url, timeoutMs: 100 })
  assert.ok(!answer.ok && answer.error.includes('no answer came in time'), JSON.stringify(answer))
})

test('a request whose time is up while it waits for a connection is never sent', async (t) => {
  const paths: unknown[] = []
  let release = (): void => undefined
  const gate = new Promise<void>((resolve) => (release = resolve))
  const url = await startServer(t, (request, response) => {
    paths.push(request.url)
    void gate.then(() => response.end('ok'))
  })
  const client = startClient(t, { maxConnectionsPerOrigin: 1 })
  const first = bodyOf(client, { url: `${url}/first`, timeoutMs: 20_000 })
  assert.match(await bodyOf(client, { url: `${url}/late`, timeoutMs: 50 }), /no answer came in time/)
  const last = bodyOf(client, { url: `${url}/last`, timeoutMs: 20_000 })
  release()
  assert.deepEqual([await first, await last], ['ok', 'ok'])
  assert.deepEqual(paths, ['/first', '/last'])
})

test('a hint before the answer is not the answer', async (t) => {
  const url = await startServer(t, (_request, response) => {
    response.writeEarlyHints({ link: '</a>; rel=preload' }, () => response.writeHead(201).end('done'))
  })
  const answer = await startClient(t).request({ url })
  assert.deepEqual(answer.ok && [answer.status, answer.body, answer.headers['link']], [
    201,
    'done',
    undefined,
  ])
})

test('a body up to the limit is read, a longer one is an error', async (t) => {
  const url = await startServer(
    t,
    (request, response) => void response.end('x'.repeat(Number(request.url?.slice(1)))),
  )
  const client = startClient(t, { maxBodyBytes: 1000 })
  assert.equal((await bodyOf(client, { url: `${url}/1000` })).length, 1000)
  assert.match(await bodyOf(client, { url: `${url}/1001` }), /longer than 1000 bytes/)
  assert.equal(await bodyOf(client, { url: `${url}/3` }), 'xxx')
})

test('nothing is kept unless the caller asks for it', async (t) => {
  const { url, requests } = await startCounter(t)
  const client = startClient(t)
  await client.request({ url })
  await client.request({ url })
  assert.equal(requests(), 2)
})

test('an answer is kept for callers that ask for it, by URL, method and headers', async (t) => {
  const { url, requests } = await startCounter(t)
  const client = startClient(t)
  const bodies = []
  for (const question of [
    { url, headers: { A: '1', B: '2' } },
    { url, headers: { b: '2', a: '1' } },
    { url, headers: { a: '2', b: '2' } },
    { url: `${url}/x`, headers: { a: '1', b: '2' } },
    { url, headers: { A: '1', B: '2' } },
  ]) {
    bodies.push(await bodyOf(client, { ...question, cacheSeconds: 60 }))
  }
  assert.deepEqual(bodies, ['1', '1', '2', '3', '1'])
  assert.equal(requests(), 3)
})

test('a request with a body or another method is never kept', async (t) => {
  const { url, requests } = await startCounter(t)
  const client = startClient(t)
  for (const more of [
    { method: 'POST' },
    { method: 'POST' },
    { body: 'x', method: 'POST' },
    { method: 'DELETE' },
  ]) {
    await client.request({ url, cacheSeconds: 60, ...more })
  }
  assert.equal(requests(), 4)
})

test('a kept answer ends with its time', async (t) => {
  const { url, requests } = await startCounter(t)
  const client = startClient(t)
  const startedAtMs = performance.now()
  while (requests() < 2) {
    await client.request({ url, cacheSeconds: 0.2 })
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  const keptMs = performance.now() - startedAtMs
  assert.ok(keptMs >= 190 && keptMs < 3000, `${keptMs} ms`)
})

test('trouble is kept for a moment only', async (t) => {
  const { url, requests } = await startCounter(t, 503)
  const client = startClient(t, { cache: { negativeTtlMs: 1000 } })
  const startedAtMs = performance.now()
  await client.request({ url, cacheSeconds: 3600 })
  await client.request({ url, cacheSeconds: 3600 })
  assert.equal(requests(), 1)
  while (requests() < 2) {
    await client.request({ url, cacheSeconds: 3600 })
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  assert.ok(performance.now() - startedAtMs < 8000)
})

test('equal questions at the same time share one request', async (t) => {
  const { url, requests } = await startCounter(t)
  const client = startClient(t)
  const bodies = await Promise.all(Array.from({ length: 50 }, () => bodyOf(client, { url, cacheSeconds: 1 })))
  assert.ok(bodies.every((body) => body === '1'))
  assert.equal(requests(), 1)
})

test('the cache is bounded by size: an answer that does not fit is not kept', async (t) => {
  const { url, requests } = await startCounter(t)
  const client = startClient(t, { cache: { sizeBytes: 100 } })
  await client.request({ url, cacheSeconds: 60 })
  await client.request({ url, cacheSeconds: 60 })
  assert.equal(requests(), 2)
})

test('more requests at once than allowed are refused', async (t) => {
  let release = (): void => undefined
  const gate = new Promise<void>((resolve) => (release = resolve))
  const url = await startServer(t, (_request, response) => void gate.then(() => response.end('ok')))
  const client = startClient(t, { maxInFlight: 2 })
  const allowed = [bodyOf(client, { url }), bodyOf(client, { url })]
  assert.match(await bodyOf(client, { url }), /limit/)
  release()
  assert.deepEqual(await Promise.all(allowed), ['ok', 'ok'])
  assert.equal(await bodyOf(client, { url }), 'ok')
})

test('connections to one server are bounded', async (t) => {
  const sockets = new Set<unknown>()
  const url = await startServer(t, (request, response) => {
    sockets.add(request.socket)
    setImmediate(() => response.end('ok'))
  })
  const client = startClient(t, { maxConnectionsPerOrigin: 3 })
  await Promise.all(Array.from({ length: 60 }, () => client.request({ url })))
  assert.ok(sockets.size <= 3, `${sockets.size} connections`)
})

test('HTTPS trusts the configured authority and no other', async (t) => {
  const server = createTlsServer(privateCa.server, (_request, response) => void response.end('ok'))
  const url = `https://127.0.0.1:${await listenLocal(t, server)}/`
  const trusting = startClient(t, { tls: { ...PLAIN_TLS, caBundleFile: privateCa.caFile } })
  assert.equal(await bodyOf(trusting, { url }), 'ok')
  assert.match(await bodyOf(startClient(t), { url }), /TLS connection could not be trusted/)
})
