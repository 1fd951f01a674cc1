import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crc32 } from 'node:zlib'
import * as fc from 'fast-check'
import { TrackError } from '../../../src/errors.ts'
import { ByteReader } from '../../../src/trends/byte-reader.ts'
import { ByteWriter } from '../../../src/trends/byte-writer.ts'
import {
  rangeOf,
  readCount,
  readSeenItems,
  readTop,
  readWindowCounts,
  type TrendQuery,
} from '../../../src/trends/read-trends.ts'
import { decodeRow, encodeRow } from '../../../src/trends/row-codec.ts'
import { loadChunk, splitRow } from '../../../src/trends/split-row.ts'
import type { TrendChange } from '../../../src/trends/trend-change.ts'
import type { TrendDefinition } from '../../../src/trends/trend-definition.ts'
import type { RowChunkRef, TrendRow } from '../../../src/trends/trend-row.ts'
import {
  anyChange,
  bytesOf,
  defined,
  fieldOf,
  hashOf,
  rowAfter,
  rowOf,
  START_SECONDS,
} from '../../support/trend-fixtures.ts'

const DEFINITION = defined()
const anyChanges = fc.array(anyChange(DEFINITION, 60), { maxLength: 30 })

function query(row: TrendRow, name: string, nowSeconds: number): TrendQuery {
  return { row, field: fieldOf(row.definition, name), nowSeconds, own: [] }
}

function counts(row: TrendRow, nowSeconds: number): readonly (readonly number[])[] {
  const names = ['count', 'ips', 'proto'].filter((name) => row.definition.fields.has(name))
  return names.map((name) => readWindowCounts(query(row, name, nowSeconds)))
}

/** What a store does with a row: main bytes and chunks by name. */
class PartStore {
  main: Uint8Array | undefined
  readonly chunks = new Map<string, Uint8Array>()
  writtenBytes = 0

  open(definition: TrendDefinition): TrendRow {
    const row = rowOf(definition, this.main)
    for (const field of definition.fields.values()) {
      for (const ref of row.missingChunks(field)) {
        const bytes = this.chunks.get(nameOf(ref))
        assert.ok(bytes !== undefined, 'a chunk that the row names is stored')
        assert.equal(loadChunk(row, ref, bytes), undefined)
      }
    }
    return row
  }

  write(row: TrendRow): void {
    const { main, chunks, kept } = splitRow(row)
    this.main = main
    this.writtenBytes = main.length
    const names = new Set(kept.map(nameOf))
    for (const name of this.chunks.keys()) if (!names.has(name)) this.chunks.delete(name)
    for (const chunk of chunks) {
      this.chunks.set(nameOf(chunk), chunk.bytes)
      this.writtenBytes += chunk.bytes.length
    }
    assert.deepEqual([...this.chunks.keys()].toSorted(), kept.map(nameOf).toSorted())
  }
}

function nameOf({ fieldId, startSeconds }: RowChunkRef): string {
  return `${fieldId}@${startSeconds}`
}

test('damage gives an answer or a coded error, never anything else', () => {
  fc.assert(
    fc.property(anyChanges, fc.nat(), fc.integer({ min: 0, max: 255 }), (changes, place, flip) => {
      const whole = encodeRow(rowAfter(DEFINITION, changes))
      const at = place % whole.length
      const bytes = flip === 0 ? whole.slice(0, at) : whole.with(at, (whole[at] ?? 0) ^ flip)
      try {
        const decoded = decodeRow(DEFINITION, bytes)
        if (!decoded.ok) {
          assert.match(decoded.reason, /^a row of trend database "test" cannot be read: its? /)
          return
        }
        counts(decoded.row, START_SECONDS)
        readSeenItems(query(decoded.row, 'devices', START_SECONDS))
        readTop(query(decoded.row, 'hitters', START_SECONDS), 5)
        for (const change of changes) decoded.row.apply(change)
        encodeRow(decoded.row)
      } catch (error) {
        assert.ok(error instanceof TrackError && error.code.startsWith('TRK_TREND_'), String(error))
      }
    }),
    { numRuns: 500 },
  )
})

/** A row as the first version wrote it: with a checksum, and lengths of 32 bits. */
function inFirstVersion(bytes: Uint8Array): Uint8Array {
  const reader = new ByteReader(bytes, 1)
  const writer = new ByteWriter()
  writer.writeByte(1)
  writer.writeUint32(0)
  writer.writeVarint(reader.readVarint())
  writer.writeVarint(reader.readVarint())
  while (reader.hasMore) {
    writer.writeUint24(reader.readUint24())
    const coded = reader.readVarint()
    const segment = reader.readBytes(Math.floor(coded / 2))
    writer.writeUint32(segment.length + (coded % 2) * 0x80000000)
    writer.writeBytes(segment)
  }
  writer.patchUint32(1, crc32(writer.written(5)))
  return writer.finish()
}

test('rows of the first version are read, whole ones and those with chunks', () => {
  fc.assert(
    fc.property(anyChanges, fc.integer({ min: 0, max: 600 }), (changes, items) => {
      const row = rowAfter(DEFINITION, changes)
      for (let item = 0; item < items; item++) {
        const hash = hashOf(`item ${item}`)
        const timeSeconds = START_SECONDS + 60
        row.apply({ op: 'hll-add', fieldId: fieldOf(DEFINITION, 'ips').id, timeSeconds, hash })
      }
      const expected = counts(row, START_SECONDS + 60)
      assert.deepEqual(
        counts(rowOf(DEFINITION, inFirstVersion(encodeRow(row))), START_SECONDS + 60),
        expected,
      )
      const store = new PartStore()
      store.write(row)
      store.main = inFirstVersion(store.main ?? new Uint8Array(0))
      assert.deepEqual(counts(store.open(DEFINITION), START_SECONDS + 60), expected)
    }),
    { numRuns: 30 },
  )
})

test('a row of the first version whose bytes were changed or cut anywhere is refused with a reason', () => {
  fc.assert(
    fc.property(anyChanges, fc.nat(), fc.integer({ min: 1, max: 255 }), (changes, place, flip) => {
      const bytes = inFirstVersion(encodeRow(rowAfter(DEFINITION, changes)))
      const at = 1 + (place % (bytes.length - 1))
      const flipped = bytes.with(at, (bytes[at] ?? 0) ^ flip)
      for (const damaged of [flipped, bytes.subarray(0, at), Uint8Array.of(...bytes, flip)]) {
        assert.ok(!decodeRow(DEFINITION, damaged).ok)
      }
    }),
  )
})

test('a row of another version is refused', () => {
  const bytes = encodeRow(rowAfter(DEFINITION, [])).with(0, 9)
  const decoded = decodeRow(DEFINITION, bytes)
  assert.ok(!decoded.ok && /version is 9, known is 2/.test(decoded.reason))
})

test('a field that is removed is left out, the others stay, and a new one begins empty', () => {
  const changes: TrendChange[] = [
    { op: 'int-add', fieldId: fieldOf(DEFINITION, 'count').id, timeSeconds: START_SECONDS, amount: 7 },
    { op: 'hll-add', fieldId: fieldOf(DEFINITION, 'ips').id, timeSeconds: START_SECONDS, hash: hashOf('a') },
  ]
  const bytes = encodeRow(rowAfter(DEFINITION, changes))
  const smaller = defined({
    fields: new Map([
      ['count', 'int'],
      ['new', 'hll'],
    ]),
  })
  const row = rowOf(smaller, bytes)
  assert.deepEqual(readWindowCounts(query(row, 'count', START_SECONDS)), [7, 0, 0, 0])
  assert.deepEqual(readWindowCounts(query(row, 'new', START_SECONDS)), [0, 0, 0, 0])
  assert.deepEqual(counts(rowOf(DEFINITION, encodeRow(row)), START_SECONDS), [
    [7, 0, 0, 0],
    [0, 0, 0, 0],
    [0, 0, 0, 0],
  ])
})

for (const windowSeconds of [5, 10, 15, 20, 40]) {
  test(`windows of 10 s that lie within one of ${windowSeconds} s are kept, the others are not`, () => {
    const wide = defined({ windowCount: 8 })
    const other = defined({ windowSeconds, windowCount: (80 / windowSeconds) | 0 })
    const changes: TrendChange[] = []
    const expected = new Map<number, number>()
    for (let window = 0; window < 8; window++) {
      const timeSeconds = START_SECONDS + window * 10
      const amount = 10 ** window
      changes.push({ op: 'int-add', fieldId: fieldOf(wide, 'count').id, timeSeconds, amount })
      changes.push({
        op: 'hll-add',
        fieldId: fieldOf(wide, 'ips').id,
        timeSeconds,
        hash: hashOf(`i${window}`),
      })
      const target = Math.floor(timeSeconds / windowSeconds)
      const isWithin = Math.floor((timeSeconds + 9) / windowSeconds) === target
      if (isWithin) expected.set(target, (expected.get(target) ?? 0) + amount)
    }
    const row = rowOf(other, encodeRow(rowAfter(wide, changes)))
    const nowSeconds = START_SECONDS + 79
    const newest = Math.floor(nowSeconds / windowSeconds)
    const wanted = Array.from({ length: other.windowCount }, (_, age) => expected.get(newest - age) ?? 0)
    assert.deepEqual(readWindowCounts(query(row, 'count', nowSeconds)), wanted)
    const again = rowOf(other, encodeRow(row))
    assert.deepEqual(counts(again, nowSeconds), counts(row, nowSeconds))
    const distinctWanted = wanted.map((sum) => String(sum).split('1').length - 1)
    assert.deepEqual(readWindowCounts(query(again, 'ips', nowSeconds)), distinctWanted)
  })
}

test('fewer windows keep the newest, fewer hll registers fold, and less room for items keeps the latest', () => {
  const timeSeconds = START_SECONDS
  const changes: TrendChange[] = Array.from({ length: 3000 }, (_, index) => ({
    op: 'hll-add',
    fieldId: fieldOf(DEFINITION, 'ips').id,
    timeSeconds: timeSeconds + (index % 4) * 10,
    hash: hashOf(`user ${index}`),
  }))
  const bytes = encodeRow(rowAfter(DEFINITION, changes))
  const less = defined({ windowCount: 2, options: { hllBits: 8, maxItemsPerKey: 4 } })
  const row = rowOf(less, bytes)
  row.apply({
    op: 'hll-add',
    fieldId: fieldOf(less, 'ips').id,
    timeSeconds: timeSeconds + 35,
    hash: hashOf('more'),
  })
  const now = query(row, 'ips', timeSeconds + 35)
  assert.ok(Math.abs(readCount(now, rangeOf(now)) / 1500 - 1) < 0.15)
})

test('a row in parts gives the same answers, and storage holds exactly the chunks that it names', () => {
  const definition = defined({
    fields: new Map([
      ['count', 'int'],
      ['ips', 'hll'],
      ['proto', 'countmin'],
    ]),
  })
  const [count, ips, proto] = ['count', 'ips', 'proto'].map((name) => fieldOf(definition, name).id)
  const step = fc.record({
    seconds: fc.integer({ min: 0, max: 15 }),
    late: fc.integer({ min: 0, max: 12 }),
    items: fc.integer({ min: 1, max: 90 }),
    isReset: fc.constantFrom(false, false, false, false, true),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 10 }), (steps) => {
      const store = new PartStore()
      const whole = rowOf(definition)
      let now = START_SECONDS
      let item = 0
      for (const { seconds, late, items, isReset } of steps) {
        now += seconds
        const row = store.open(definition)
        const both = (change: TrendChange): void => assert.equal(row.apply(change), whole.apply(change))
        const timeSeconds = now - late
        for (let index = 0; index < items; index++) {
          const hash = hashOf(`item ${item++ % 500}`)
          both({ op: 'hll-add', fieldId: ips ?? 0, timeSeconds, hash })
          both({ op: 'countmin-add', fieldId: proto ?? 0, timeSeconds, hash, amount: 1 })
        }
        both({ op: 'int-add', fieldId: count ?? 0, timeSeconds: now, amount: 1 })
        if (isReset) both({ op: 'reset-field', fieldId: ips ?? 0, timeSeconds: now })
        store.write(row)
        assert.deepEqual(counts(store.open(definition), now), counts(whole, now))
      }
    }),
    { numRuns: 40 },
  )
})

test('a change writes only the sketch that it changes, and reading an int needs none', () => {
  const ips = fieldOf(DEFINITION, 'ips').id
  const store = new PartStore()
  const row = rowOf(DEFINITION)
  for (let item = 0; item < 2000; item++) {
    row.apply({
      op: 'hll-add',
      fieldId: ips,
      timeSeconds: START_SECONDS + (item % 4) * 10,
      hash: hashOf(`${item}`),
    })
  }
  store.write(row)
  assert.ok(store.writtenBytes > 4 * 4096 && store.chunks.size === 4)

  const cold = rowOf(DEFINITION, store.main)
  const timeSeconds = START_SECONDS + 30
  assert.equal(
    cold.apply({ op: 'int-add', fieldId: fieldOf(DEFINITION, 'count').id, timeSeconds, amount: 1 }),
    'applied',
  )
  assert.equal(cold.apply({ op: 'hll-add', fieldId: ips, timeSeconds, hash: 5 }), 'chunk-missing')
  assert.throws(() => counts(cold, timeSeconds), { code: 'TRK_TREND_INCOMPLETE' })
  const current = Math.floor(timeSeconds / 10)
  assert.deepEqual(cold.missingChunks(fieldOf(DEFINITION, 'ips'), { oldest: current, newest: current }), [
    { fieldId: ips, startSeconds: timeSeconds },
  ])
  store.write(cold)
  assert.ok(store.writtenBytes < 150, `${store.writtenBytes} bytes for one int`)

  const warm = store.open(DEFINITION)
  for (let item = 0; item < 50; item++) {
    warm.apply({ op: 'hll-add', fieldId: ips, timeSeconds, hash: hashOf(`another ${item}`) })
  }
  store.write(warm)
  assert.ok(store.writtenBytes < 4096 + 200, 'one chunk and the row')
})

test('chunks of a row with another window size are joined and their old names dropped', () => {
  const ips = fieldOf(DEFINITION, 'ips').id
  const changes: TrendChange[] = Array.from({ length: 800 }, (_, item) => ({
    op: 'hll-add',
    fieldId: ips,
    timeSeconds: START_SECONDS + (item % 4) * 10,
    hash: hashOf(`${item}`),
  }))
  const store = new PartStore()
  store.write(rowAfter(DEFINITION, changes))
  assert.equal(store.chunks.size, 4)
  const twice = defined({ windowSeconds: 20, windowCount: 2 })
  assert.throws(() => splitRow(rowOf(twice, store.main)), { code: 'TRK_TREND_INCOMPLETE' })
  const row = store.open(twice)
  const read = readWindowCounts(query(row, 'ips', START_SECONDS + 39))
  for (const estimate of read) assert.ok(Math.abs(estimate / 400 - 1) < 0.06, `${estimate} instead of 400`)
  store.write(row)
  assert.equal(store.chunks.size, 2)
  assert.deepEqual(readWindowCounts(query(store.open(twice), 'ips', START_SECONDS + 39)), read)
})

test('a damaged chunk is refused with a reason', () => {
  const row = rowAfter(
    DEFINITION,
    Array.from({ length: 100 }, (_, item) => ({
      op: 'hll-add',
      fieldId: fieldOf(DEFINITION, 'ips').id,
      timeSeconds: START_SECONDS,
      hash: hashOf(`${item}`),
    })),
  )
  const { main, chunks } = splitRow(row)
  const [chunk] = chunks
  assert.ok(chunk !== undefined)
  const cold = rowOf(DEFINITION, main)
  assert.equal(cold.missingChunks(fieldOf(DEFINITION, 'ips')).length, 1)
  assert.match(loadChunk(cold, chunk, chunk.bytes.with(50, 1)) ?? '', /checksum is wrong/)
  assert.match(loadChunk(cold, chunk, bytesOf('')) ?? '', /too few/)
  assert.equal(cold.missingChunks(fieldOf(DEFINITION, 'ips')).length, 1)
})
