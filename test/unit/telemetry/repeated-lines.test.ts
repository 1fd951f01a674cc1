import assert from 'node:assert/strict'
import { mock, test } from 'node:test'
import { RepeatedLines } from '../../../src/telemetry/repeated-lines.ts'

function setUp() {
  mock.timers.enable({ apis: ['setTimeout', 'Date'] })
  const lines: string[] = []
  const repeated = new RepeatedLines(
    (level, message, fields) => lines.push(`${level} ${message} ${Object.values(fields).join()}`),
    Date.now,
  )
  return { lines, repeated, [Symbol.dispose]: () => mock.timers.reset() }
}

test('the first line is written at once, those that follow in one line when the minute is over', () => {
  using rig = setUp()
  for (let time = 0; time < 5; time++)
    rig.repeated.take('error', 'the disk is full', { error: 'ENOSPC', try: time })
  assert.deepEqual(rig.lines, ['error the disk is full ENOSPC,0'])
  mock.timers.tick(59_999)
  assert.equal(rig.lines.length, 1)
  mock.timers.tick(1)
  assert.deepEqual(rig.lines.slice(1), ['error the disk is full (repeated 4 times in 60 s) ENOSPC,4'])
  mock.timers.tick(300_000)
  assert.equal(rig.lines.length, 2)
  rig.repeated.take('error', 'the disk is full', { error: 'ENOSPC', try: 9 })
  assert.equal(rig.lines[2], 'error the disk is full ENOSPC,9')
})

test('a line that came once is said once', () => {
  using rig = setUp()
  rig.repeated.take('warn', 'once', {})
  mock.timers.tick(120_000)
  rig.repeated.close()
  assert.deepEqual(rig.lines, ['warn once '])
})

test('another message, level or telling field is another line; whom it met is not', () => {
  using rig = setUp()
  rig.repeated.take('error', 'a', { error: 'x', peer: '192.0.2.1' })
  rig.repeated.take('error', 'a', { error: 'y', peer: '192.0.2.1' })
  rig.repeated.take('warn', 'a', { error: 'x', peer: '192.0.2.1' })
  rig.repeated.take('error', 'b', { error: 'x', peer: '192.0.2.1' })
  assert.equal(rig.lines.length, 4)
  rig.repeated.take('error', 'a', { error: 'x', peer: '198.51.100.7' })
  assert.equal(rig.lines.length, 4)
})

test('a flood of errors that all differ is bounded: beyond 200 kinds the message alone counts', () => {
  using rig = setUp()
  for (let number = 0; number < 10_000; number++) {
    rig.repeated.take('error', number % 2 === 0 ? 'even' : 'odd', { error: `no. ${number}` })
  }
  assert.equal(rig.lines.length, 202)
  mock.timers.tick(60_000)
  assert.equal(rig.lines.length, 204)
  assert.match(rig.lines[202] ?? '', /repeated 4899 times/)
})

test('the end says what is unsaid', () => {
  using rig = setUp()
  rig.repeated.take('warn', 'slow', {})
  rig.repeated.take('warn', 'slow', {})
  rig.repeated.close()
  assert.equal(rig.lines.length, 2)
})
