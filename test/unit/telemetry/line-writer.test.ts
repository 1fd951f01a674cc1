import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { test } from 'node:test'
import { LineWriter } from '../../../src/telemetry/line-writer.ts'

/** A stream whose reader takes nothing until it is told to. */
function slowStream() {
  const writes: string[] = []
  let isOpen = false
  let waiting: (() => void) | undefined
  const stream = new Writable({
    decodeStrings: false,
    write(chunk: string, _encoding, done) {
      writes.push(chunk)
      if (isOpen) done()
      else waiting = done
    },
  })
  const open = (): void => {
    isOpen = true
    waiting?.()
  }
  return { stream, writes, open, text: () => writes.join('') }
}

const dropNotice = (lines: number): string => `dropped ${lines}\n`

test('lines of one turn leave in one write', async () => {
  const { stream, writes, open } = slowStream()
  open()
  const writer = new LineWriter({ stream, dropNotice })
  for (let number = 0; number < 100; number++) writer.write(`${number}\n`)
  assert.equal(writes.length, 0)
  await nextTurn()
  assert.equal(writes.length, 1)
  assert.match(writes[0] ?? '', /^0\n1\n[^]*\n99\n$/)
})

test('a reader that takes nothing costs bounded memory; what was dropped is counted, and said when it reads again', async () => {
  const { stream, open, text } = slowStream()
  const writer = new LineWriter({ stream, dropNotice, maxWaiting: 1000 })
  for (let number = 0; number < 5000; number++) {
    writer.write(`line ${number}\n`)
    if (number % 10 === 0) await nextTurn()
    assert.ok(stream.writableLength <= 1000)
  }
  const { dropped } = writer
  assert.ok(dropped > 4000)
  open()
  await nextTurn()
  writer.write('again\n')
  await nextTurn()
  assert.ok(text().endsWith(`dropped ${dropped}\nagain\n`), text().slice(-100))
  const written = text().match(/^line \d+$/gm) ?? []
  assert.equal(written.length + dropped, 5000)
  // None is out of order and none is cut.
  written.forEach((line, index) => assert.equal(line, `line ${index}`))
})

test('the end waits for the reader, but not longer than it may', async () => {
  const { stream, open, text } = slowStream()
  const writer = new LineWriter({ stream, dropNotice })
  writer.write('last\n')
  await writer.drain(10)
  assert.equal(stream.writableLength, 5)
  const drained = writer.drain(60_000)
  open()
  await drained
  assert.equal(stream.writableLength, 0)
  assert.equal(text(), 'last\n')
})

test('a stream that is gone takes nothing and breaks nothing', async () => {
  const { stream } = slowStream()
  const writer = new LineWriter({ stream, dropNotice })
  stream.destroy()
  writer.write('line\n')
  await writer.drain(60_000)
  assert.equal(writer.dropped, 1)
})
