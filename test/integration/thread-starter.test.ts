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

test('one that could not start ahead is passed over, and whoever starts the next hears why', async () => {
  const starter = new ThreadStarter<string>({ ...KIND, file: GONE })
  starter.startAhead()
  // A thread of the same kind that was started later has ended, and so has the one before it.
  await assert.rejects(once(new ThreadStarter<string>({ ...KIND, file: GONE }).start('x'), 'message'))
  await assert.rejects(once(starter.start('one'), 'message'), /no-such-thread/)
})

test('one that nobody needed is ended', async () => {
  const starter = new ThreadStarter<string>(KIND)
  starter.startAhead()
  await starter.stop()
  const between = new ThreadStarter<string>(KIND).start('between')
  const later = starter.start('later')
  const answers = await Promise.all([answerOf(between), answerOf(later)])
  // Another one answers, which was started after the one between.
  assert.ok((answers[0]?.threadId ?? 0) < (answers[1]?.threadId ?? 0))
})

test('what cannot be sent to a thread is refused, and leaves none that waits', async () => {
  const starter = new ThreadStarter<unknown>(KIND)
  starter.startAhead()
  assert.throws(() => starter.start({ call: () => undefined }), { name: 'DataCloneError' })
  // The process of this test would not end otherwise (shown by leaving the port open); the next thread is a good one.
  assert.equal((await answerOf(starter.start('next'))).setup, 'next')
})
