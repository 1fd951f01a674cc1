import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Disk } from '../../../src/store/embedded/disk.ts'
import { WriteBatch } from '../../../src/store/embedded/write-batch.ts'
import { atEnd } from '../../support/clean-up.ts'
import { temporaryDirectory } from '../../support/embedded-store.ts'

/** LevelDB after an error in the background: a new log can be had, but no write succeeds until it is opened again. */
class BrokenLevel {
  isBroken = true
  readonly written: number[] = []

  write(batch: WriteBatch): Promise<void> {
    // The binding asks LevelDB nothing for a batch without operations.
    if (batch.operations.length === 0) return Promise.resolve()
    if (this.isBroken) return Promise.reject(new Error('IO error: No space left on device'))
    this.written.push(batch.operations.length)
    return Promise.resolve()
  }

  startNewLog(): Promise<void> {
    return Promise.resolve()
  }
}

test('a disk has healed when a write shows it, also when there is nothing to write', async (t) => {
  const level = new BrokenLevel()
  const disk = new Disk({
    directory: await temporaryDirectory(t),
    durability: 'fsync',
    reserveBytes: 0,
    database: () => level,
    reports: () => assert.fail('no reports are written'),
    reopen: () => {
      level.isBroken = false
      return Promise.resolve()
    },
    onChange: () => undefined,
    onWritten: () => undefined,
  })
  atEnd(t, () => disk.stop())
  const batch = new WriteBatch()
  batch.put(Uint8Array.of(1), Uint8Array.of(2))
  await assert.rejects(disk.write(batch), /No space/)
  assert.equal(disk.refusal?.reason, 'disk-full')
  await disk.writeWhenHealed(new WriteBatch())
  assert.equal(disk.refusal, undefined)
  await disk.write(batch)
  assert.deepEqual(level.written, [1, 1])
})
