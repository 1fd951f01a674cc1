import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { LogLines, type LuaLogLine, unpackLines } from '../../../src/policy/log-lines.ts'

function recorded(): { lines: LogLines; messages: string[][] } {
  const messages: string[][] = []
  const lines = new LogLines((text) => messages.push(unpackLines(text).map(({ message }) => message)))
  return { lines, messages }
}

function line(message: string): LuaLogLine {
  return { level: 'info', message, fields: {} }
}

test('a line of a run that is alone leaves at once', () => {
  const { lines, messages } = recorded()
  lines.add(line('a'))
  lines.add(line('b'))
  assert.deepEqual(messages, [['a'], ['b']])
})

test('lines of runs that are started together leave together, and in their order', () => {
  const { lines, messages } = recorded()
  lines.whileGathering(() => {
    lines.add(line('a'))
    lines.add(line('b'))
    lines.flush()
    lines.add(line('c'))
    assert.deepEqual(messages, [['a', 'b']])
  })
  assert.deepEqual(messages, [['a', 'b'], ['c']])
  lines.add(line('later'))
  assert.deepEqual(messages.at(-1), ['later'])
})

test('lines leave also when a fault of ours ends the start of runs', () => {
  const { lines, messages } = recorded()
  const start = (): void =>
    lines.whileGathering(() => {
      lines.add(line('a'))
      throw new Error('a fault')
    })
  assert.throws(start, /a fault/)
  lines.add(line('b'))
  assert.deepEqual(messages, [['a'], ['b']])
})

test('lines without end do not gather without end', () => {
  const { lines, messages } = recorded()
  lines.whileGathering(() => {
    for (let number = 0; number < 1000; number++) lines.add(line(String(number)))
    assert.ok(messages.length >= 3, `${messages.length} messages`)
  })
  assert.deepEqual(
    messages.flat(),
    Array.from({ length: 1000 }, (_, number) => String(number)),
  )
})

test('lines come as they were written, whatever their text', () => {
  const text = fc.string({ unit: 'binary' }).map((given) => `${given}\uD800`)
  const written = fc.record({
    level: fc.constantFrom('error' as const, 'warn' as const, 'info' as const, 'debug' as const),
    message: text,
    fields: fc.dictionary(text, text),
  })
  fc.assert(
    fc.property(fc.array(written, { maxLength: 20 }), (given) => {
      const got: LuaLogLine[] = []
      const lines = new LogLines((packed) => got.push(...unpackLines(packed)))
      lines.whileGathering(() => given.forEach((each) => lines.add(each)))
      assert.deepEqual(
        got,
        given.map(({ level, message, fields }) => ({ level, message, fields: { ...fields } })),
      )
    }),
  )
})
