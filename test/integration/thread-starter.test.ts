import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import type { Worker } from 'node:worker_threads'
import { ThreadStarter } from '../../src/thread-starter.ts'
import type { LateThreadAnswer } from '../support/late-thread.ts'

const KIND = {
  file: new URL('../support/late-thread.ts', import.meta.url),
  name: 'late',
  resourceLimits: { maxOldGenerationSizeMb: 64 },
}
const GONE = new URL('../support/no-such-thread.ts', import.meta.url)

async function answerOf(worker: Worker): Promise<LateThreadAnswer> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the thread says nothing else
  const [answer] = (await once(worker, 'message')) as [LateThreadAnswer]
  return answer
}

test('a thread that was started ahead is given to the first who needs one, and those after it are new', async () => {
  const starter = new ThreadStarter<string>(KIND)
  starter.startAhead()
  const between = new ThreadStarter<string>(KIND).start('between')
  const started = [starter.start('one'), between, starter.start('two')]
  const answers = await Promise.all(started.map(answerOf))
  assert.deepEqual(
    answers.map(({ setup }) => setup),
    ['one', 'between', 'two'],
  )
  const ids = answers.map(({ threadId }) => threadId)
  assert.deepEqual(
    ids,
    ids.toSorted((a, b) => a - b),
  )
})

test('what is transferred with the setup arrives', async () => {
  const starter = new ThreadStarter<{ readonly bytes: ArrayBuffer }>(KIND)
  const bytes = Uint8Array.of(1, 2, 3).buffer
  const answer = await answerOf(starter.start({ bytes }, { transfers: [bytes] }))
  assert.deepEqual(answer.setup, { bytes: Uint8Array.of(1, 2, 3).buffer })
  assert.equal(bytes.byteLength, 0)
})

test('a thread that fails once it is told what to do is heard by whoever started it', async () => {
  const starter = new ThreadStarter<string>(KIND)
  starter.startAhead()
  // It says nothing before.
  await assert.rejects(once(starter.start('fail'), 'message'), /it was told to/)
})

test('one that could not start ahead is passed over, and the next says why', async () => {
  const starter = new ThreadStarter<string>({ ...KIND, file: GONE })
  starter.startAhead()
  // The one that was started ahead has ended by the time that a second one has.
  const first = starter.start('one')
  await assert.rejects(once(first, 'message'), /no-such-thread/)
  await assert.rejects(once(starter.start('two'), 'message'), /no-such-thread/)
})

test('one that nobody needed is ended', async () => {
  const starter = new ThreadStarter<string>(KIND)
  starter.startAhead()
  await starter.stop()
  // Nothing is left of it: another one answers.
  assert.equal((await answerOf(starter.start('later'))).setup, 'later')
})
