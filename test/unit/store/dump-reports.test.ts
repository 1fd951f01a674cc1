import assert from 'node:assert/strict'
import fc from 'fast-check'
import { test } from 'node:test'
import { dumpPage, parseDumpLine, type DumpedReport } from '../../../src/store/dump-reports.ts'
import type { HistoryEntry } from '../../../src/store/store.ts'

const LONGEST_ANSWER = 65_519

/** Whether the line of a report, with its line end, is short enough for a page. */
function hasRoom(id: number, receivedAtMs: number, text: string): boolean {
  const line = { id, received: receivedAtMs / 1000, report: JSON.parse(text) as unknown }
  return Buffer.byteLength(JSON.stringify(line)) + 1 <= 56_000
}

/** Whatever asks page after page. */
function dumped(entries: readonly HistoryEntry[]): readonly DumpedReport[] {
  const found: DumpedReport[] = []
  let after = -1
  for (;;) {
    const page = dumpPage(entries.filter(({ id }) => id > after))
    assert.ok(Buffer.byteLength(page.lines) < LONGEST_ANSWER - 100)
    for (const line of page.lines.split('\n').slice(0, -1)) {
      const report = parseDumpLine(line)
      assert.ok(report !== undefined, line)
      found.push(report)
    }
    if (page.after === undefined) return found
    after = page.after
  }
}

test('page after page all reports come, each once, as they were and with their times', () => {
  const text = fc
    .string({ unit: 'grapheme', maxLength: 40 })
    .map((login) => JSON.stringify({ login, big: '' }))
  const big = fc
    .integer({ min: 1, max: 30_000 })
    .map((length) => JSON.stringify({ login: 'é', big: 'ü'.repeat(length) }))
  const entry = fc.record({ text: fc.oneof(text, big), receivedAtMs: fc.integer({ min: 0, max: 2e12 }) })
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 12 }), (drawn) => {
      const entries = drawn.map((one, index) => ({ ...one, id: index * 3 }))
      assert.deepEqual(
        dumped(entries),
        entries.map(({ id, receivedAtMs, text: whole }) => ({
          id,
          receivedSeconds: receivedAtMs / 1000,
          text: hasRoom(id, receivedAtMs, whole) ? whole : undefined,
        })),
      )
    }),
  )
})

test('a login that is no UTF-8 comes through', () => {
  const text = JSON.stringify({ login: 'caf\udce9' })
  assert.deepEqual(dumped([{ id: 0, receivedAtMs: 0, text }]), [{ id: 0, receivedSeconds: 0, text }])
})

test('a line that is none of a dump is not taken for one', () => {
  for (const line of ['', 'Error: no', '[]', '{"id":1}', '{"id":"1","received":2,"report":{}}'])
    assert.equal(parseDumpLine(line), undefined)
})
