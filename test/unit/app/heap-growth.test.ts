import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'

const MODULE = new URL('../../../src/app/heap-growth.ts', import.meta.url).href
/** As V8 has it where memory is plenty; little that is young, and no helpers, which may be late on a machine that is busy. */
const HEAP = ['--max-old-space-size=4096', '--max-semi-space-size=1', '--single-threaded-gc']

/** By half, and what a small heap may always grow by. Without the call it is more than four. */
const LARGEST = 2.5

/** Collects once, so that V8 knows what is alive, and replaces all of it four times. */
function replaceThings(): void {
  const things = Array.from({ length: 500_000 }, (_, at) => ({ at, more: [at] }))
  globalThis.gc?.()
  for (let at = 0; at < 2_000_000; at++) things[at % things.length] = { at, more: [at] }
}

/**
 * How the heap had grown at each collection, compared with what was alive after the one before, in a process that replaces
 * things in its main thread, or in one that it starts.
 */
async function growths(isInThread: boolean): Promise<readonly number[]> {
  const work = `(${replaceThings.toString()})()`
  const script = `
    import { Worker } from 'node:worker_threads'
    import { collectEarlier } from ${JSON.stringify(MODULE)}
    collectEarlier();
    ${isInThread ? `new Worker(${JSON.stringify(work)}, { eval: true })` : work}`
  const options = [...HEAP, '--expose-gc', '--trace-gc', '--input-type=module', '-e', script]
  const { stdout, stderr } = await promisify(execFile)(process.execPath, options)
  assert.equal(stderr, '')
  const collections = Array.from(
    stdout.matchAll(/Mark-Compact.*? ([\d.]+) \(.*? -> ([\d.]+) \(/g),
    (line) => ({
      before: Number(line[1]),
      after: Number(line[2]),
    }),
  )
  return collections.slice(1).map(({ before }, at) => before / (collections[at]?.after ?? 0))
}

for (const thread of ['the main thread', 'a thread'] as const) {
  test(`the heap of ${thread} is collected when it has grown by half`, async () => {
    const found = await growths(thread === 'a thread')
    assert.ok(
      found.length > 1 && Math.max(...found) < LARGEST,
      `it had grown to the ${found.join('-, ')}-fold`,
    )
  })
}
