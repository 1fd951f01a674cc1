import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Disk } from '../../../src/store/embedded/disk.ts'
import { ReportBatch } from '../../../src/store/embedded/reports/report-batch.ts'
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

/** Files of reports that can be written again as soon as another one is begun. */
class BrokenFiles {
  isBroken = true
  readonly done: string[] = []

  append(batch: ReportBatch): Promise<void> {
    if (this.isBroken) return Promise.reject(new Error('ENOSPC: no space left on device, write'))
    this.done.push(`append ${batch.segments.length}`)
    return Promise.resolve()
  }

  startNewFile(): Promise<void> {
    this.isBroken = false
    this.done.push('new file')
    return Promise.resolve()
  }
}

test('appends are refused until both the files of reports and the database can be written again', async (t) => {
  const level = new BrokenLevel()
  const files = new BrokenFiles()
  const ready: boolean[] = []
  const disk = new Disk({
    directory: await temporaryDirectory(t),
    durability: 'fsync',
    reserveBytes: 0,
    database: () => level,
    reports: () => files,
    reopen: () => Promise.reject(new Error('a policy worker reads')),
    onChange: () => ready.push(disk.refusal === undefined),
    onWritten: () => undefined,
  })
  atEnd(t, () => disk.stop())
  const changes = new WriteBatch()
  changes.put(Uint8Array.of(1), Uint8Array.of(2))
  await assert.rejects(disk.write(changes), /No space/)
  await assert.rejects(disk.append(new ReportBatch()), /ENOSPC/)
  await disk.appendWhenHealed(new ReportBatch())
  assert.deepEqual(files.done, ['new file', 'append 0'])
  assert.equal(disk.refusal?.reason, 'disk-full')
  const healed = disk.writeWhenHealed(changes)
  level.isBroken = false
  await healed
  assert.equal(disk.refusal, undefined)
  assert.deepEqual(ready, [false, true])
})
