import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'

const MODULE = new URL('../../../src/app/heap-growth.ts', import.meta.url).href

/** Replaces things that have become old, again and again. */
function replaceThings(): void {
  const things = Array.from({ length: 200_000 }, (_, at) => ({ at, more: [at] }))
  for (let at = 0; at < 10_000_000; at++) things[(at * 7919) % things.length] = { at, more: [at] }
}

/** Collections of a whole heap in a process that does so in its main thread, or in one that it starts. */
async function collections(isCalled: boolean, isInThread: boolean): Promise<number> {
  const work = `(${replaceThings.toString()})()`
  const script = `
    import { Worker } from 'node:worker_threads'
    ${isCalled ? `import { collectEarlier } from ${JSON.stringify(MODULE)}; collectEarlier();` : ''}
    ${isInThread ? `new Worker(${JSON.stringify(work)}, { eval: true })` : work}`
  // A heap as V8 has it where memory is plenty.
  const options = ['--max-old-space-size=4096', '--trace-gc', '--input-type=module', '-e', script]
  const { stdout } = await promisify(execFile)(process.execPath, options)
  return stdout.match(/Mark-Compact/g)?.length ?? 0
}

for (const thread of ['the main thread', 'a thread'] as const) {
  test(`the heap of ${thread} is collected when it has grown by half`, async () => {
    const isInThread = thread === 'a thread'
    const without = await collections(false, isInThread)
    const earlier = await collections(true, isInThread)
    assert.ok(without > 2 && earlier > 1.3 * without, `${earlier} collections, and without it ${without}`)
  })
}
