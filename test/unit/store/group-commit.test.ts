import assert from 'node:assert/strict'
import { setImmediate as turn } from 'node:timers/promises'
import { test } from 'node:test'
import { TrackError } from '../../../src/errors.ts'
import { GroupCommit } from '../../../src/store/embedded/group-commit.ts'
import type { ReportBatch } from '../../../src/store/embedded/reports/report-batch.ts'
import type { WriteBatch } from '../../../src/store/embedded/write-batch.ts'
import type {
  AppendJob,
  BatchDisk,
  ChangeJob,
  Participant,
  RefusalReason,
} from '../../../src/store/embedded/write-jobs.ts'

/** A disk that writes when it is told to, and fails when it is told to. */
class HeldDisk implements BatchDisk {
  refusal: { readonly reason: RefusalReason; readonly detail: string } | undefined
  readonly written: string[] = []
  readonly #held: { readonly names: string; readonly end: PromiseWithResolvers<void> }[] = []

  get waiting(): number {
    return this.#held.length
  }

  roomForChanges(): Promise<void> {
    return Promise.resolve()
  }

  append({ segments }: ReportBatch): Promise<void> {
    return this.#hold(segments.map(({ segment }) => String.fromCharCode(segment)))
  }

  appendWhenHealed(batch: ReportBatch): Promise<void> {
    return this.append(batch)
  }

  write({ operations }: WriteBatch): Promise<void> {
    return this.#hold(operations.map(({ key }) => String.fromCharCode(...key)))
  }

  writeWhenHealed(batch: WriteBatch): Promise<void> {
    return this.write(batch)
  }

  async release(failure?: string): Promise<void> {
    const first = this.#held.shift()
    assert.ok(first !== undefined, 'nothing is being written')
    if (failure === undefined) {
      this.written.push(first.names)
      first.end.resolve()
    } else {
      first.end.reject(new Error(failure))
    }
    await turns()
  }

  #hold(names: readonly string[]): Promise<void> {
    const end = Promise.withResolvers<void>()
    this.#held.push({ names: names.join(''), end })
    return end.promise
  }
}

async function turns(): Promise<void> {
  for (let count = 0; count < 5; count++) await turn()
}

interface Made {
  readonly settlesEarly?: boolean
  readonly gatherMs?: number
  readonly expectMs?: number
  readonly participants?: readonly Participant[]
}

function started({ settlesEarly = false, gatherMs = 1, expectMs = 1, participants = [] }: Made = {}) {
  const disk = new HeldDisk()
  const settled: string[] = []
  const writer = new GroupCommit({
    disk,
    participants,
    settlesEarly,
    gatherMs,
    expectMs,
    onSettled: () => undefined,
    onBroken: (error) => assert.fail(error.message),
  })
  // A segment of no reports, numbered by its name.
  const stageAppend =
    (name: string) =>
    (batch: ReportBatch): void =>
      batch.add(name.charCodeAt(0), Uint8Array.of(0, 0), true)
  const stage =
    (name: string) =>
    (batch: WriteBatch): void =>
      batch.put(new Uint8Array(Buffer.from(name)), new Uint8Array(0))
  const append = (name: string, sizeBytes = 10): AppendJob => ({
    kind: 'append',
    reports: 1,
    sizeBytes,
    stage: stageAppend(name),
    settle: () => settled.push(name),
    refuse: (reason) => settled.push(`${name} ${reason}`),
  })
  const change = (name: string, isUrgent = true): ChangeJob => ({
    kind: 'change',
    isUrgent,
    stage: stage(name),
    settle: () => settled.push(name),
    fail: (error) => settled.push(`${name} ${error.code}`),
  })
  const join = (name: string): void => void writer.join(stage(name)).then(() => settled.push(name))
  return { disk, writer, settled, append, change, join }
}

test('an append is settled when it is written', async () => {
  const { disk, writer, settled, append } = started()
  writer.enqueue(append('a'))
  await turns()
  assert.deepEqual([settled, disk.waiting], [[], 1])
  await disk.release()
  assert.deepEqual(settled, ['a'])
})

test('one that cannot be written is refused, and the next one waits until the disk has healed', async () => {
  const { disk, writer, settled, append } = started()
  writer.enqueue(append('a'))
  await turns()
  writer.enqueue(append('b'))
  await disk.release('no')
  assert.deepEqual([settled, disk.waiting], [['a disk-error'], 1])
  await disk.release()
  assert.deepEqual([disk.written, disk.waiting], [[''], 1])
  await disk.release()
  assert.deepEqual(
    [settled, disk.written],
    [
      ['a disk-error', 'b'],
      ['', 'b'],
    ],
  )
})

test('appends and changes are batches of their own, written beside each other, one of each kind at a time', async () => {
  const { disk, writer, settled, append, change } = started()
  for (const name of ['a', 'b']) writer.enqueue(append(name))
  for (const name of ['1', '2']) writer.enqueue(change(name))
  await turns()
  assert.equal(disk.waiting, 2)
  writer.enqueue(append('c'))
  writer.enqueue(change('3'))
  await turns()
  assert.equal(disk.waiting, 2)
  await disk.release()
  assert.deepEqual([settled, disk.waiting], [['a', 'b'], 2])
  await disk.release()
  assert.deepEqual([settled, disk.waiting], [['a', 'b', '1', '2'], 2])
  await disk.release()
  await disk.release()
  assert.deepEqual(disk.written, ['ab', '12', 'c', '3'])
})

test('changes that cannot be written are written again before any other, and appends go on', async () => {
  const { disk, writer, settled, append, change } = started()
  writer.enqueue(change('1'))
  await turns()
  writer.enqueue(append('a'))
  writer.enqueue(change('2'))
  await turns()
  await disk.release('no')
  assert.deepEqual([settled, disk.waiting], [[], 2])
  await disk.release()
  assert.deepEqual([settled, disk.waiting], [['a'], 1])
  await disk.release()
  await disk.release()
  assert.deepEqual(
    [settled, disk.written],
    [
      ['a', '1', '2'],
      ['a', '1', '2'],
    ],
  )
})

test('what nobody waits for gathers company, until somebody waits', async () => {
  const { disk, writer, settled, change } = started({ gatherMs: 60_000 })
  writer.enqueue(change('1', false))
  await turns()
  await disk.release()
  for (const name of ['2', '3']) {
    writer.enqueue(change(name, false))
    await turns()
  }
  assert.deepEqual([settled, disk.waiting], [['1'], 0])
  writer.enqueue(change('4'))
  await turns()
  await disk.release()
  assert.deepEqual(disk.written, ['1', '234'])
})

test('and is written by itself in the end', async () => {
  const { disk, writer, settled, change } = started()
  for (const name of ['1', '2']) {
    writer.enqueue(change(name, false))
    while (disk.waiting === 0) await turn()
    await disk.release()
  }
  assert.deepEqual(settled, ['1', '2'])
})

test('maintenance that can wait goes with the next changes, and those gather as ever', async () => {
  const { disk, writer, settled, append, change, join } = started({ expectMs: 60_000, gatherMs: 60_000 })
  writer.enqueue(change('1'))
  await turns()
  join('m')
  await disk.release()
  assert.deepEqual([settled, disk.waiting], [['1'], 0])
  // Acknowledging is no change to go with.
  writer.enqueue(append('a'))
  await turns()
  await disk.release()
  assert.deepEqual([settled, disk.waiting], [['1', 'a'], 0])
  writer.enqueue(change('2', false))
  await turns()
  assert.equal(disk.waiting, 0)
  writer.enqueue(change('3'))
  await turns()
  await disk.release()
  assert.deepEqual(disk.written, ['1', 'a', '23m'])
  assert.deepEqual(settled.toSorted(), ['1', '2', '3', 'a', 'm'])
})

test('maintenance that waits for changes is told when there will be none for good', async () => {
  const { disk, writer, settled, change } = started({ expectMs: 60_000 })
  writer.enqueue(change('1'))
  await turns()
  await disk.release()
  const joined = writer.join(() => undefined)
  await turns()
  writer.refuseAll(new TrackError('TRK_STORE_FAILED', 'told to'))
  await assert.rejects(joined, { code: 'TRK_STORE_FAILED' })
  assert.deepEqual(settled, ['1'])
})

test('and by itself where there were no changes, or none come any more', async () => {
  const never = started({ expectMs: 60_000 })
  for (const name of ['m', 'n']) {
    never.join(name)
    await turns()
    await never.disk.release()
  }
  assert.deepEqual(never.settled, ['m', 'n'])

  const once = started()
  once.writer.enqueue(once.change('1'))
  once.join('m')
  await turns()
  once.join('n')
  await once.disk.release()
  while (once.disk.waiting === 0) await turn()
  await once.disk.release()
  assert.deepEqual(once.disk.written, ['1m', 'n'])
})

test('maintenance for which somebody waits is not held up by others that can wait', async () => {
  const { disk, writer, settled, change, join } = started({ expectMs: 60_000 })
  writer.enqueue(change('1'))
  await turns()
  await disk.release()
  join('m')
  await turns()
  assert.equal(disk.waiting, 0)
  writer.enqueue({ ...change('u'), kind: 'maintenance' })
  await turns()
  await disk.release()
  assert.deepEqual(disk.written, ['1', 'mu'])
  assert.deepEqual(settled.toSorted(), ['1', 'm', 'u'])
})

test('a part of the store hears how the appends ended, apart from the changes', async () => {
  const heard: string[] = []
  const part: Participant = {
    changesWritten: () => heard.push('changes'),
    appendsEnded: (areWritten) => heard.push(areWritten ? 'appends' : 'no appends'),
  }
  const { disk, writer, append, change } = started({ participants: [part] })
  writer.enqueue(append('a'))
  writer.enqueue(change('1'))
  await turns()
  await disk.release('no')
  await disk.release()
  await disk.release()
  writer.enqueue(append('b'))
  await turns()
  await disk.release()
  assert.deepEqual(heard, ['no appends', 'changes', 'appends'])
})

test('settled early, a megabyte may wait to be written, and each is settled once', async () => {
  const { disk, writer, settled, append } = started({ settlesEarly: true })
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
      ['abc', 'd'],
    ],
  )
})

test('while a disk is slow, appends wait for it again', async () => {
  const { disk, writer, settled, append } = started({ settlesEarly: true })
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
  const { disk, writer, settled, append } = started({ settlesEarly: true })
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
