import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { ProgressLine, progressText } from '../../../src/cli/progress-line.ts'

test('a line says how much is done, how fast, and how long it will take', () => {
  assert.equal(
    progressText(0.5, 12_000, 2000),
    `[${'#'.repeat(15)}${' '.repeat(15)}]  50 %  12000 reports, 6000/s, 2 s left`,
  )
  assert.equal(progressText(undefined, 12_000, 2000), '12000 reports, 6000/s')
  assert.match(progressText(0, 0, 0), /^\[ {30}\] {3}0 % {2}0 reports, 0\/s$/)
  assert.match(progressText(1.2, 5, 1000), /^\[#{30}\] 100 % .*, 0 s left$/)
})

test('it is written now and then, over itself, and cleared in the end', () => {
  const output = new PassThrough()
  let nowMs = 1000
  const line = new ProgressLine(output, () => nowMs)
  for (let count = 0; count < 100; count++) {
    line.show(count / 100, count)
    nowMs += 10
  }
  line.clear()
  const written = String(output.read())
  const shown = written.split('\r\u001b[2K').filter((text) => text !== '')
  assert.equal(shown.length, 5)
  assert.ok(written.endsWith('\r\u001b[2K'))
})
