import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Reloader, type ReloadOutcome } from '../../../src/app/reloader.ts'

/** A reload that ends when the test says so. */
function controlled() {
  const running: { readonly end: (outcome: ReloadOutcome) => void; readonly signal: AbortSignal }[] = []
  const reloader = new Reloader((signal) => {
    const { promise, resolve } = Promise.withResolvers<ReloadOutcome>()
    running.push({ end: resolve, signal })
    return promise
  })
  return { reloader, running }
}

test('however many are asked for while one is under way, one more follows, and all of them get its outcome', async () => {
  const { reloader, running } = controlled()
  const first = reloader.reload()
  const others = [reloader.reload(), reloader.reload(), reloader.reload()]
  assert.equal(running.length, 1)
  running[0]?.end({ ok: false, reason: 'broken' })
  assert.deepEqual(await first, { ok: false, reason: 'broken' })
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(running.length, 2)
  const during = reloader.reload()
  running[1]?.end({ ok: true })
  for (const other of others) assert.deepEqual(await other, { ok: true })
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(running.length, 3)
  running[2]?.end({ ok: true })
  assert.deepEqual(await during, { ok: true })
})

test('the stop gives up the one under way, waits for its end, and lets none follow', async () => {
  const { reloader, running } = controlled()
  const first = reloader.reload()
  const second = reloader.reload()
  let isStopped = false
  const stopping = reloader.stop().then(() => (isStopped = true))
  assert.equal(running[0]?.signal.aborted, true)
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(isStopped, false)
  running[0]?.end({ ok: false, reason: 'given up' })
  await stopping
  assert.deepEqual(await first, { ok: false, reason: 'given up' })
  assert.deepEqual(await second, { ok: false, reason: 'the server is stopping' })
  assert.deepEqual(await reloader.reload(), { ok: false, reason: 'the server is stopping' })
  assert.equal(running.length, 1)
})
