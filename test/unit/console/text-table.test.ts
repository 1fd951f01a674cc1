/** Tables of text for the console. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { textTable } from '../../../src/console/text-table.ts'

const COLUMNS = [
  { title: 'ID', width: 4 },
  { title: 'Name', width: 6, isCut: true },
  { title: 'URL', width: 0 },
] as const

test('a cell is padded, cut where its column says so, and the last one is whole', () => {
  assert.equal(
    textTable(COLUMNS, [
      ['1', 'a', 'http://192.0.2.1/'],
      ['123456', 'too long', ''],
    ]),
    'ID   Name   URL\n1    a      http://192.0.2.1/\n123456 too lo \n',
  )
})

test('whatever the cells are, there is one line for each row, and no control character in it', () => {
  const rows = fc.array(fc.tuple(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), fc.string()))
  fc.assert(
    fc.property(rows, (cells) => {
      const lines = textTable(COLUMNS, cells).split('\n')
      assert.equal(lines.length, cells.length + 2)
      // oxlint-disable-next-line no-control-regex -- these must not be there
      for (const line of lines) assert.doesNotMatch(line, /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/)
    }),
  )
})
