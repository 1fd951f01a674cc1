import assert from 'node:assert/strict'
import { setImmediate as turn } from 'node:timers/promises'
import { test } from 'node:test'
import { GroupCommit, type BatchDisk, type WriteJob } from '../../../src/store/embedded/group-commit.ts'
import type { WriteBatch } from '../../../src/store/embedded/write-batch.ts'

/** A disk that writes when it is told to, and fails when it is told to. */
class HeldDisk implements BatchDisk {
  readonly refusal = undefined
  readonly written: string[] = []
  readonly #held: { readonly batch: WriteBatch; readonly end: PromiseWithResolvers<void> }[] = []

  get waiting(): number {
    return this.#held.length
  }

  roomForChanges(): Promise<void> {
    return Promise.resolve()
  }

  write(batch: WriteBatch): Promise<void> {
    const end = Promise.withResolvers<void>()
    this.#held.push({ batch, end })
    return end.promise
  }

  writeWhenHealed(batch: WriteBatch): Promise<void> {
    return this.write(batch)
  }

  async release(failure?: string): Promise<void> {
    const first = this.#held.shift()
    assert.ok(first !== undefined, 'nothing is being written')
    if (failure === undefined) {
      this.written.push(...first.batch.operations.map(({ key }) => String.fromCharCode(...key)))
      first.end.resolve()
    } else {
      first.end.reject(new Error(failure))
    }
    await turns()
  }
}

async function turns(): Promise<void> {
  for (let count = 0; count < 5; count++) await turn()
}

function started(settlesEarly: boolean) {
  const disk = new HeldDisk()
  const settled: string[] = []
  const writer = new GroupCommit({
    disk,
    participants: [],
    settlesEarly,
    onSettled: () => undefined,
    onBroken: (error) => assert.fail(error.message),
  })
  const append = (name: string, sizeBytes: number): WriteJob => ({
    kind: 'append',
    reports: 1,
    sizeBytes,
    stage: (batch) => batch.put(new Uint8Array(Buffer.from(name)), new Uint8Array(0)),
    settle: () => settled.push(name),
    refuse: (reason) => settled.push(`${name} ${reason}`),
  })
  return { disk, writer, settled, append }
}

test('an append is settled when it is written', async () => {
  const { disk, writer, settled, append } = started(false)
  writer.enqueue(append('a', 10))
  await turns()
  assert.deepEqual([settled, disk.waiting], [[], 1])
  await disk.release()
  assert.deepEqual(settled, ['a'])
})

test('one that cannot be written is refused', async () => {
  const { disk, writer, settled, append } = started(false)
  writer.enqueue(append('a', 10))
  await turns()
  await disk.release('no')
  assert.deepEqual(settled, ['a disk-error'])
})

test('settled early, a megabyte may wait to be written, and each is settled once', async () => {
  const { disk, writer, settled, append } = started(true)
  for (const name of ['a', 'b', 'c']) writer.enqueue(append(name, 400 * 1024))
  assert.deepEqual(settled, ['a', 'b'])
  assert.deepEqual(writer.unstaged, { reports: 2, sizeBytes: 800 * 1024 })
  await turns()
  assert.deepEqual([disk.waiting, writer.unstaged.reports], [1, 0])
  await disk.release()
  assert.deepEqual(settled, ['a', 'b', 'c'])
  writer.enqueue(append('d', 800 * 1024))
  assert.deepEqual(settled, ['a', 'b', 'c', 'd'])
  await turns()
  await disk.release()
  assert.deepEqual(
    [settled, disk.written],
    [
      ['a', 'b', 'c', 'd'],
      ['a', 'b', 'c', 'd'],
    ],
  )
})

test('while a disk is slow, appends wait for it again', async () => {
  const { disk, writer, settled, append } = started(true)
  writer.enqueue(append('a', 10))
  await turns()
  const endMs = performance.now() + 150
  while (performance.now() < endMs) await turn()
  writer.enqueue(append('b', 10))
  assert.deepEqual(settled, ['a'])
  await disk.release()
  await disk.release()
  assert.deepEqual(settled, ['a', 'b'])
  writer.enqueue(append('c', 10))
  assert.deepEqual(settled, ['a', 'b', 'c'])
  await turns()
  await disk.release()
})

test('what was settled early is written again when a write fails, and whoever asks meanwhile waits', async () => {
  const { disk, writer, settled, append } = started(true)
  writer.enqueue(append('a', 10))
  let isAnswered = false
  const answer = writer.settledIsWritten().then(() => (isAnswered = true))
  await turns()
  await disk.release('no')
  assert.deepEqual([settled, disk.waiting, isAnswered], [['a'], 1, false])
  await disk.release()
  await answer
  assert.deepEqual([settled, disk.written], [['a'], ['a']])
})
