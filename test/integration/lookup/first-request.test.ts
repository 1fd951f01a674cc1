/** The first request of a process, with which the HTTP client's package is loaded; a file of its own, so that it is not yet. */
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { registerHooks } from 'node:module'
import { test } from 'node:test'
import { createHttpClient } from '../../../src/lookup/http-client.ts'
import { atEnd } from '../../support/clean-up.ts'
import { listenLocal } from '../../support/listen-local.ts'

const TIMEOUT_MS = 1_500
const LOADING_MS = 2_000

test('what it takes to load the client is not the other system’s time', async (t) => {
  let isLoaded = false
  const hooks = registerHooks({
    resolve(specifier, context, next) {
      if (specifier === 'undici' && !isLoaded) {
        isLoaded = true
        const endMs = performance.now() + LOADING_MS
        while (performance.now() < endMs);
      }
      return next(specifier, context)
    },
  })
  atEnd(t, () => hooks.deregister())
  const server = createServer((_, response) => response.end('here'))
  const port = await listenLocal(t, server)
  const client = createHttpClient({
    tls: {
      verifyPeer: true,
      verifyHost: true,
      caBundleFile: null,
      clientCertificateFile: null,
      clientKeyFile: null,
    },
  })
  atEnd(t, () => client.close())
  const answer = await client.request({ url: `http://127.0.0.1:${port}/`, timeoutMs: TIMEOUT_MS })
  assert.ok(isLoaded)
  assert.ok(answer.ok, answer.ok ? '' : answer.error)
  assert.equal(answer.body, 'here')
})
