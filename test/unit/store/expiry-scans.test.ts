import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ExpiryScans } from '../../../src/store/embedded/expiry-scans.ts'

test('no entry is ever before the place where a scan begins, in whatever order scans and notes come', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('note' as const), atMs: fc.nat(50) }),
    fc.record({ kind: fc.constant('begin' as const), size: fc.integer({ min: 1, max: 4 }) }),
    fc.record({ kind: fc.constant('end' as const), again: fc.nat(10) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const scans = new ExpiryScans()
      const entries = new Set<number>()
      const pages: number[][] = []
      for (const action of steps) {
        if (action.kind === 'note') {
          scans.note('d', action.atMs)
          entries.add(action.atMs)
        } else if (action.kind === 'begin') {
          const fromMs = scans.begin('d')
          const sorted = [...entries].toSorted((a, b) => a - b)
          assert.ok(sorted.every((atMs) => atMs >= fromMs))
          const page = sorted.slice(0, action.size)
          if (page.length === 0) scans.cancel('d')
          else pages.push(page)
        } else {
          const page = pages.shift()
          if (page === undefined) continue
          scans.end('d', page.at(-1) ?? 0)
          for (const atMs of page) entries.delete(atMs)
          const later = (page[0] ?? 0) + action.again
          scans.note('d', later)
          entries.add(later)
        }
      }
    }),
  )
})
