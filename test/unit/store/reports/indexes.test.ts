import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { RecentIndex } from '../../../../src/store/embedded/reports/recent-index.ts'
import { type SegmentRow, SegmentTable } from '../../../../src/store/embedded/reports/segment-table.ts'
import {
  DamagedPage,
  encodePages,
  findInPages,
  PAGE_BYTES,
  pagesOf,
} from '../../../../src/store/embedded/reports/sorted-pages.ts'

type Pages = Parameters<typeof findInPages>[0]

interface Entry {
  readonly hash: number
  readonly place: number
}

/** Entries as a file brings them: places grow; some hashes come very often. */
const entries: fc.Arbitrary<readonly Entry[]> = fc
  .array(fc.oneof(fc.constantFrom(0, 1, 0xffffffff, 0x80000000), fc.nat(0xffffffff)), { maxLength: 60 })
  .chain((hashes) =>
    fc.record({ seen: fc.array(fc.constantFrom(...hashes, 7), { maxLength: 1800, size: 'max' }) }),
  )
  .map(({ seen }) => seen.map((hash, nth) => ({ hash, place: nth * 3 })))

function indexOf(of: readonly Entry[]): RecentIndex {
  const index = new RecentIndex()
  for (const { hash, place } of of) index.add(hash, place)
  return index
}

function pagesOfIndex(index: RecentIndex): Pages & { readonly pages: readonly Buffer[] } {
  const encoded = [...encodePages(index.sorted())]
  const pages = encoded.map(({ page }) => page)
  return {
    pages,
    firstHashes: Uint32Array.from(encoded, ({ firstHash }) => firstHash),
    entries: index.length,
    readPage: (page) => pages[page] ?? assert.fail(`page ${page} was asked for`),
  }
}

test('both indexes find what a plain search finds, the newest first', () => {
  fc.assert(
    fc.property(entries, fc.nat(0xffffffff), (of, other) => {
      const index = indexOf(of)
      const pages = pagesOfIndex(index)
      assert.equal(pages.firstHashes.length, pagesOf(of.length))
      for (const hash of new Set([...of.slice(0, 40).map((entry) => entry.hash), other])) {
        const expected = of
          .filter((entry) => entry.hash === hash)
          .map(({ place }) => place)
          .toReversed()
        assert.deepEqual([...index.find(hash)], expected)
        assert.deepEqual([...findInPages(pages, hash)], expected)
      }
    }),
    { numRuns: 60 },
  )
})

test('a page with a changed bit is not believed', () => {
  const pages = pagesOfIndex(indexOf(Array.from({ length: 600 }, (_, place) => ({ hash: 5, place }))))
  fc.assert(
    fc.property(fc.nat(PAGE_BYTES * 8 - 1), (bit) => {
      const damaged = Buffer.from(pages.pages[0] ?? assert.fail('there is no page'))
      damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      assert.throws(() => [...findInPages({ ...pages, readPage: () => damaged }, 5)], DamagedPage)
    }),
  )
  assert.throws(() => [...findInPages({ ...pages, readPage: () => Buffer.alloc(0) }, 5)], DamagedPage)
})

const row = fc.record({
  gap: fc.integer({ min: 1, max: 1000 }),
  at: fc.nat(0xffffffff),
  sizeBytes: fc.nat(0xffffffff),
  oldestMs: fc.double({ noNaN: true }),
  newestMs: fc.double({ noNaN: true }),
  reports: fc.nat(32),
})

test('a table of segments finds what was added, before and after it was stored', () => {
  fc.assert(
    fc.property(fc.array(row, { minLength: 1, maxLength: 200 }), fc.nat(2 ** 40), (rows, first) => {
      let segment = first
      const added: SegmentRow[] = rows.map(({ gap, ...rest }) => {
        const number = segment
        segment += gap
        return { segment: number, ...rest }
      })
      const table = new SegmentTable()
      for (const each of added) table.add(each)
      const stored = SegmentTable.decode(table.encode(), first)
      for (const one of [table, stored]) {
        assert.equal(one.length, added.length)
        assert.equal(
          one.keptReports,
          added.reduce((sum, { reports }) => sum + reports, 0),
        )
        const kept = added.filter(({ reports }) => reports > 0)
        assert.equal(
          one.keptBytes,
          kept.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
        )
        for (const [index, each] of added.entries()) {
          assert.equal(one.find(each.segment), index)
          assert.equal(one.lowerBound(each.segment), index)
          assert.deepEqual(
            [
              one.placeAt(index),
              one.sizeBytesAt(index),
              one.oldestMsAt(index),
              one.newestMsAt(index),
              one.reportsAt(index),
            ],
            [each.at, each.sizeBytes, each.oldestMs, each.newestMs, each.reports],
          )
          const next = added[index + 1]
          if (next !== undefined && next.segment > each.segment + 1)
            assert.equal(one.find(each.segment + 1), -1)
        }
        assert.deepEqual([one.find(segment), one.lowerBound(segment)], [-1, added.length])
      }
    }),
    { numRuns: 50 },
  )
})
