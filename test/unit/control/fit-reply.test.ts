import assert from 'node:assert/strict'
import { isUtf8 } from 'node:buffer'
import { test } from 'node:test'
import fc from 'fast-check'
import { fitReply } from '../../../src/control/fit-reply.ts'

const MAX_BYTES = 400
const fit = (text: string): string => Buffer.from(fitReply(Buffer.from(text), MAX_BYTES)).toString()

test('what fits is left alone', () => {
  for (const text of ['', 'ok\n', 'x'.repeat(MAX_BYTES)]) assert.equal(fit(text), text)
})

test('a long list ends after a whole line, and the last line says how many are missing', () => {
  const lines = Array.from({ length: 100 }, (_, index) => `row ${index}`)
  for (const end of ['', '\n']) {
    const answer = fit(lines.join('\n') + end).split('\n')
    assert.equal(answer.pop(), '')
    const note = answer.pop() ?? ''
    assert.deepEqual(answer, lines.slice(0, answer.length))
    assert.ok(answer.length > 10)
    assert.match(
      note,
      new RegExp(`^… ${100 - answer.length} more lines do not fit into one answer; ask for less`),
    )
  }
})

test('one long line is cut between two characters', () => {
  for (let shift = 0; shift < 4; shift++) {
    const text = `${'x'.repeat(shift)}${'€😀é'.repeat(200)}`
    const [cut = '', note] = fit(text).split('\n')
    assert.ok(text.startsWith(cut))
    assert.match(
      note ?? '',
      new RegExp(`^… ${Buffer.byteLength(text) - Buffer.byteLength(cut)} more bytes do not fit`),
    )
  }
})

test('whatever the reply, the answer fits, begins like it, and is text if it was', () => {
  const replies = fc.oneof(
    fc.string({ unit: 'binary', minLength: 100, maxLength: 600 }).map((text) => Buffer.from(text)),
    fc.array(fc.string({ maxLength: 40 }), { maxLength: 60 }).map((lines) => Buffer.from(lines.join('\n'))),
    fc.uint8Array({ maxLength: 900 }).map((bytes) => Buffer.from(bytes)),
  )
  fc.assert(
    fc.property(replies, (reply) => {
      const answer = fitReply(reply, MAX_BYTES)
      assert.ok(answer.length <= MAX_BYTES)
      if (isUtf8(reply)) assert.ok(isUtf8(answer))
      const note = Buffer.from(answer).lastIndexOf('…')
      if (reply.length > MAX_BYTES) {
        const kept = answer.subarray(0, note)
        const isOneLine = !reply.subarray(0, MAX_BYTES - 200).includes(0x0a)
        assert.ok(
          reply
            .subarray(0, kept.length - (isOneLine ? 1 : 0))
            .equals(kept.subarray(0, kept.length - (isOneLine ? 1 : 0))),
        )
        assert.ok(kept.length > 150 || !isOneLine)
      } else assert.deepEqual(Buffer.from(answer), reply)
    }),
    { numRuns: 500 },
  )
})
