import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { test } from 'node:test'
import fc from 'fast-check'
import { numberKey, PREFIX } from '../../../../src/store/embedded/keys.ts'
import { RECORD_HEAD_BYTES, writeHead } from '../../../../src/store/embedded/reports/record.ts'
import {
  FILE_HEAD,
  findRecords,
  type ScanEnd,
  scanRecords,
} from '../../../../src/store/embedded/reports/scan-records.ts'
import { seal, unseal } from '../../../../src/store/embedded/sealed-value.ts'

interface Built {
  readonly file: Buffer
  /** Where each record begins, batch by batch, and where the last one ends. */
  readonly places: readonly (readonly number[])[]
  readonly contents: readonly Uint8Array[]
}

/** Room behind a segment that it does not fill. */
const SPARE_BYTES = 3

/** A file of batches of segments, numbered from 1 on; every second one has room to spare. */
function fileOf(batches: readonly (readonly Uint8Array[])[]): Built {
  const parts = [Buffer.from(FILE_HEAD, 'latin1')]
  const places: number[][] = []
  let at = FILE_HEAD.length
  let segment = 0
  for (const batch of batches) {
    const batchAt = at
    const begins: number[] = []
    for (const content of batch) {
      segment++
      const sealed = seal(numberKey(PREFIX.segment, segment), content)
      const roomBytes = sealed.length + (segment % 2) * SPARE_BYTES
      const record = Buffer.alloc(RECORD_HEAD_BYTES + roomBytes)
      const times = { oldestMs: segment, newestMs: segment + 0.5 }
      writeHead(record, 0, {
        batchAt,
        roomBytes,
        sizeBytes: sealed.length,
        segment,
        ...times,
      })
      record.set(sealed, RECORD_HEAD_BYTES)
      parts.push(record)
      begins.push(at)
      at += record.length
    }
    places.push(begins)
  }
  return { file: Buffer.concat(parts), places, contents: batches.flat() }
}

function scanned(file: Uint8Array): { readonly contents: readonly Uint8Array[]; readonly end: ScanEnd } {
  const contents: Uint8Array[] = []
  const scan = scanRecords(file)
  for (;;) {
    const step = scan.next()
    if (step.done === true) return { contents, end: step.value }
    const { head, sealed } = step.value
    assert.deepEqual([head.oldestMs, head.newestMs], [head.segment, head.segment + 0.5])
    contents.push(unseal(numberKey(PREFIX.segment, head.segment), sealed))
  }
}

function flipped(file: Buffer, at: number, bit: number): Buffer {
  const copy = Buffer.from(file)
  copy[at] = (copy[at] ?? 0) ^ (1 << bit)
  return copy
}

/** Whether the byte says nothing. */
function isSpare(file: Buffer, at: number): boolean {
  return [...scanRecords(file)].some((record) => {
    const contentAt = record.at + RECORD_HEAD_BYTES
    return at >= contentAt + record.head.sizeBytes && at < contentAt + record.head.roomBytes
  })
}

const content = fc.uint8Array({ maxLength: 30 })
const batches = fc.array(fc.array(content, { minLength: 1, maxLength: 4 }), { minLength: 2, maxLength: 4 })
const plain = (contents: readonly Uint8Array[]): readonly (readonly number[])[] =>
  contents.map((bytes) => [...bytes])

test('a whole file gives all of its segments back', () => {
  fc.assert(
    fc.property(batches, (written) => {
      const { file, contents } = fileOf(written)
      const found = scanned(file)
      assert.deepEqual(plain(found.contents), plain(contents))
      assert.deepEqual(found.end, { end: file.length, tornBytes: 0, damage: undefined })
      assert.equal([...findRecords(file)].length, contents.length)
    }),
  )
})

test('a file that ends anywhere has every whole record, and the rest was a write that was cut short', () => {
  fc.assert(
    fc.property(batches, fc.double({ min: 0, max: 1, noNaN: true }), (written, share) => {
      const { file, places, contents } = fileOf(written)
      const cut = Math.floor(share * file.length)
      const ends = [...places.flat().slice(1), file.length]
      const whole = ends.filter((end) => end <= cut).length
      const { contents: found, end } = scanned(file.subarray(0, cut))
      assert.deepEqual(plain(found), plain(contents.slice(0, whole)))
      const goodEnd = cut < FILE_HEAD.length ? 0 : (places.flat().concat(file.length)[whole] ?? 0)
      assert.deepEqual(end, { end: goodEnd, tornBytes: cut - goodEnd, damage: undefined })
    }),
  )
})

test('a changed bit is damage where a later batch follows, and a write cut short in the last one', () => {
  fc.assert(
    fc.property(batches, fc.double({ min: 0, max: 0.999, noNaN: true }), fc.nat(7), (written, share, bit) => {
      const { file, places, contents } = fileOf(written)
      const at = Math.floor(share * file.length)
      fc.pre(!isSpare(file, at))
      const { contents: found, end } = scanned(flipped(file, at, bit))
      const lastBatchAt = places.at(-1)?.[0] ?? 0
      const before = places.flat().filter((_, nth) => at >= (places.flat()[nth + 1] ?? file.length)).length
      assert.deepEqual(plain(found), plain(contents.slice(0, at < FILE_HEAD.length ? 0 : before)))
      if (at >= lastBatchAt) {
        assert.equal(end.damage, undefined)
        assert.equal(end.tornBytes, file.length - end.end)
      } else {
        assert.match(end.damage ?? '', /is not what was written|does not begin/)
      }
      const saved = [...findRecords(flipped(file, at, bit))].filter((record) => record !== undefined)
      assert.equal(saved.length, contents.length - (at < FILE_HEAD.length ? 0 : 1))
    }),
  )
})

test('a changed bit in the room that a segment does not fill changes nothing', () => {
  const { file, contents } = fileOf([[Buffer.alloc(20, 1)], [Buffer.alloc(20, 2)]])
  const spare = Array.from(file.keys()).filter((at) => isSpare(file, at))
  assert.equal(spare.length, SPARE_BYTES)
  for (const at of spare) {
    const { contents: found, end } = scanned(flipped(file, at, 3))
    assert.deepEqual(plain(found), plain(contents))
    assert.deepEqual(end, { end: file.length, tornBytes: 0, damage: undefined })
  }
})

test('pages of the last batch may reach the disk in any order', () => {
  const { file, places } = fileOf([[Buffer.alloc(20, 1)], [Buffer.alloc(20, 2), Buffer.alloc(20, 3)]])
  const [, [second = 0, third = 0] = []] = places
  const torn = Buffer.from(file)
  torn.fill(0, second, third)
  assert.deepEqual(scanned(torn).end, { end: second, tornBytes: file.length - second, damage: undefined })
})
