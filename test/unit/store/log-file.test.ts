import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { test } from 'node:test'
import fc from 'fast-check'
import { crc32c, unmaskCrc } from '../../../src/store/embedded/crc32c.ts'
import { intactRecords, makeLogFile, readLogFile } from '../../../src/store/embedded/log-file.ts'
import { readManifest } from '../../../src/store/embedded/manifest.ts'
import { snappyDecode } from '../../../src/store/embedded/snappy.ts'
import { checkTable, intactEntries } from '../../../src/store/embedded/table-file.ts'

const BLOCK = 32 * 1024

/** A log as LevelDB writes it. */
function writeLog(records: readonly Uint8Array[]): Buffer {
  const parts: Buffer[] = []
  let at = 0
  const push = (part: Buffer): void => {
    parts.push(part)
    at += part.length
  }
  for (const record of records) {
    let rest = Buffer.from(record)
    let isFirst = true
    let isWritten = false
    do {
      const room = BLOCK - (at % BLOCK)
      if (room < 7) {
        push(Buffer.alloc(room))
        continue
      }
      const data = rest.subarray(0, room - 7)
      rest = rest.subarray(data.length)
      const type = isFirst ? (rest.length === 0 ? 1 : 2) : rest.length === 0 ? 4 : 3
      const piece = Buffer.concat([Buffer.alloc(7), data])
      piece.writeUInt16LE(data.length, 4)
      piece[6] = type
      const crc = crc32c(piece, 6)
      piece.writeUInt32LE((((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0, 0)
      push(piece)
      isFirst = false
      isWritten = rest.length === 0
    } while (!isWritten)
  }
  return Buffer.concat(parts)
}

const record = fc
  .tuple(fc.constantFrom(0, 1, 30, 500, 32_000, 40_000, 70_000), fc.nat(255))
  .map(([length, byte]) => new Uint8Array(length).fill(byte))
const records = fc.array(record, { minLength: 1, maxLength: 6 })
const same = (a: readonly Uint8Array[], b: readonly Uint8Array[]): boolean =>
  a.length === b.length && a.every((item, index) => Buffer.compare(item, b[index] ?? new Uint8Array(0)) === 0)

test('CRC-32C gives the check value of its definition, at every alignment', () => {
  assert.equal(crc32c(Buffer.from('123456789')), 0xe3069283)
  assert.equal(crc32c(new Uint8Array(32)), 0x8a9136aa)
  assert.equal(crc32c(Buffer.from('xx123456789yy'), 2, 11), 0xe3069283)
  assert.equal(unmaskCrc((((0xe3069283 >>> 15) | (0xe3069283 << 17)) + 0xa282ead8) >>> 0), 0xe3069283)
})

test('a log gives its records back', () => {
  fc.assert(
    fc.property(records, (items) => {
      const log = readLogFile(writeLog(items))
      assert.ok(same(log.records, items))
      assert.deepEqual([log.tornBytes, log.damage], [0, undefined])
    }),
    { numRuns: 50 },
  )
})

test('a log that ends anywhere is torn at most, and has every record before that', () => {
  fc.assert(
    fc.property(records, fc.double({ min: 0, max: 1, noNaN: true }), (items, share) => {
      const whole = writeLog(items)
      const log = readLogFile(whole.subarray(0, Math.floor(whole.length * share)))
      assert.equal(log.damage, undefined)
      assert.ok(same(log.records, items.slice(0, log.records.length)))
    }),
    { numRuns: 100 },
  )
})

test('a changed bit is damage before the last record, and never gives another record', () => {
  fc.assert(
    fc.property(records, fc.nat(), fc.nat(7), (items, place, bit) => {
      const whole = writeLog([...items, Uint8Array.of(1, 2, 3)])
      const lastAt = whole.length - 10
      const at = place % lastAt
      whole[at] = (whole[at] ?? 0) ^ (1 << bit)
      const log = readLogFile(whole)
      assert.ok(same(log.records, [...items, Uint8Array.of(1, 2, 3)].slice(0, log.records.length)))
      // The only bytes that carry nothing fill up a block.
      if (log.records.length <= items.length) assert.match(log.damage ?? '', /not what was written/)
    }),
    { numRuns: 200 },
  )
})

test('a log that is made is one as LevelDB writes it', () => {
  fc.assert(
    fc.property(records, (items) => {
      assert.equal(Buffer.compare(makeLogFile(items), writeLog(items)), 0)
    }),
    { numRuns: 50 },
  )
})

test('a changed bit costs the record that it is in, and none behind it', () => {
  fc.assert(
    fc.property(records, fc.nat(), fc.nat(7), (items, place, bit) => {
      const all = [...items, Uint8Array.of(1, 2, 3)]
      const whole = writeLog(all)
      const at = place % whole.length
      whole[at] = (whole[at] ?? 0) ^ (1 << bit)
      const { records: left, damagedPlaces } = intactRecords(whole)
      const isLost = left.length < all.length
      const lost = all.findIndex((item, index) => Buffer.compare(item, left[index] ?? Buffer.of(9, 9)) !== 0)
      assert.ok(same(left, isLost ? all.toSpliced(lost, 1) : all))
      // What is unreadable at the end is a write that was cut short.
      assert.equal(damagedPlaces, isLost && lost < all.length - 1 ? 1 : 0)
    }),
    { numRuns: 200 },
  )
})

test('a manifest of unknown or broken fields is damage, not a guess', () => {
  assert.deepEqual(readManifest(writeLog([])), { damage: 'it is empty' })
  assert.deepEqual(readManifest(writeLog([Uint8Array.of(99)])), {
    damage: 'it has a field of kind 99, which is unknown',
  })
  assert.deepEqual(readManifest(writeLog([Uint8Array.of(1, 50, 1)])), {
    damage: 'a record of it ends too early',
  })
  // New file: level 0, number 5, size 300, keys of one byte; log number 4; then the file is deleted, and 6 is new.
  const first = Uint8Array.of(7, 0, 5, 0xac, 2, 1, 65, 1, 66, 2, 4)
  const second = Uint8Array.of(6, 0, 5, 7, 1, 6, 9, 1, 65, 1, 66)
  assert.deepEqual(readManifest(writeLog([first])), { tables: new Map([[5, 300]]), firstLog: 4 })
  assert.deepEqual(readManifest(writeLog([first, second])), { tables: new Map([[6, 9]]), firstLog: 4 })
})

test('Snappy: literals, copies near and far, and copies that overlap themselves', () => {
  const decode = (...bytes: number[]): string | undefined => {
    const decoded = snappyDecode(Uint8Array.from(bytes), 1000)
    return decoded === undefined ? undefined : Buffer.from(decoded).toString('latin1')
  }
  assert.equal(decode(3, 8, 97, 98, 99), 'abc')
  assert.equal(decode(3, 0xf0, 2, 97, 98, 99), 'abc')
  // "ab", then 6 bytes from 2 back; one-byte and two-byte offset.
  assert.equal(decode(8, 4, 97, 98, 0b000_010_01, 2), 'abababab')
  assert.equal(decode(8, 4, 97, 98, 0b000101_10, 2, 0), 'abababab')
  assert.equal(decode(8, 4, 97, 98, 0b000101_11, 2, 0, 0, 0), 'abababab')
  assert.equal(decode(8, 4, 97, 98, 0b000101_10, 3, 0), undefined, 'before the start')
  assert.equal(decode(9, 4, 97, 98, 0b000101_10, 2, 0), undefined, 'too short')
  assert.equal(decode(3, 8, 97, 98), undefined, 'ends in a literal')
  assert.equal(decode(0xff, 0xff, 3, 0), undefined, 'larger than allowed')
})

test('bytes of any kind are no table, no snappy block and no manifest, and nothing is thrown', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      assert.equal(typeof checkTable(bytes), 'string')
      assert.deepEqual([...intactEntries(bytes)], [undefined])
      intactRecords(bytes)
      snappyDecode(bytes, 10_000)
      readManifest(bytes)
    }),
  )
})
