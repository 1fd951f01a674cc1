import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ExpiryScans } from '../../../src/store/embedded/expiry-scans.ts'
import { expiryKey } from '../../../src/store/embedded/keys.ts'

/** Entries in the order of their keys: two of each time. */
function keyOf(entry: number): Uint8Array {
  return expiryKey('d', Math.floor(entry / 2), Uint8Array.of(entry % 2))
}

/** Whether an entry is in a scan that begins there. */
function isSeen(entry: number, from: Uint8Array | undefined): boolean {
  return from === undefined || Buffer.compare(keyOf(entry), from) >= 0
}

test('no entry that is on disk is before the place where a scan begins, in whatever order things come', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('note' as const), entry: fc.nat(50) }),
    fc.record({ kind: fc.constant('write' as const) }),
    fc.record({ kind: fc.constant('begin' as const), size: fc.integer({ min: 1, max: 4 }) }),
    fc.record({ kind: fc.constant('end' as const), again: fc.nat(10) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
      const scans = new ExpiryScans()
      const onDisk = new Set<number>()
      /** Staged: entries and whether they are put or removed, in order. */
      const staged: (readonly [entry: number, isThere: boolean])[] = []
      const pages: number[][] = []
      const note = (entry: number): void => {
        scans.note('d', keyOf(entry))
        staged.push([entry, true])
      }
      for (const action of steps) {
        if (action.kind === 'note') note(action.entry)
        else if (action.kind === 'write') {
          for (const [entry, isThere] of staged.splice(0)) {
            if (isThere) onDisk.add(entry)
            else onDisk.delete(entry)
          }
          scans.written()
        } else if (action.kind === 'begin') {
          const from = scans.begin('d')
          const sorted = [...onDisk].toSorted((a, b) => a - b)
          const removed = new Set(staged.filter(([, isThere]) => !isThere).map(([entry]) => entry))
          assert.ok(sorted.every((entry) => removed.has(entry) || isSeen(entry, from)))
          const page = sorted.filter((entry) => isSeen(entry, from)).slice(0, action.size)
          if (page.length === 0) scans.cancel('d')
          else pages.push(page)
        } else {
          const page = pages.shift()
          if (page === undefined) continue
          scans.end('d', keyOf(page.at(-1) ?? 0))
          for (const entry of page) staged.push([entry, false])
          note((page[0] ?? 0) + action.again)
        }
      }
    }),
  )
})

test('what was removed is not passed over again, also where all entries have one time', () => {
  const scans = new ExpiryScans()
  for (const last of [10, 20, 30]) {
    scans.begin('d')
    scans.end('d', expiryKey('d', 5, Uint8Array.of(last)))
    const from = scans.begin('d')
    scans.cancel('d')
    assert.deepEqual([...(from ?? [])], [...expiryKey('d', 5, Uint8Array.of(last))])
  }
})

test('what was written before a scan began does not hold back the next one, and what was not does', () => {
  const scans = new ExpiryScans()
  const placeAfterPage = (): readonly number[] => {
    scans.begin('d')
    scans.end('d', keyOf(20))
    const from = scans.begin('d')
    scans.cancel('d')
    return [...(from ?? [])]
  }
  scans.note('d', keyOf(3))
  assert.deepEqual(placeAfterPage(), [...keyOf(3)])
  scans.written()
  assert.deepEqual(placeAfterPage(), [...keyOf(20)])
})
