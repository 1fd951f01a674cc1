import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ProblemLog, type Recipient } from '../../../src/delivery/problem-log.ts'
import { httpAttempt } from '../../../src/delivery/web-hook-sender.ts'
import { rememberingLog } from '../../support/silent-log.ts'

const ENTRY = { id: 'an-id', hook: 'alerts', body: 'BODY', createdAtMs: 0, tries: 0, nextTryAtMs: 0 }

function create(recipient: Recipient = { kind: 'webhook', name: 'alerts', place: 'http://h/' }) {
  const { log, lines } = rememberingLog()
  let nowMs = 1_000_000
  const problems = new ProblemLog({ log, now: () => nowMs })
  return {
    lines,
    problems,
    advance: (delayMs: number) => (nowMs += delayMs),
    fail: (status: number): void => {
      const attempt = httpAttempt({ kind: 'answer', status, retryAfter: undefined }, nowMs)
      const { verdict } = attempt
      assert.ok(verdict.kind !== 'success')
      problems.report(recipient, ENTRY, { attempt, verdict })
    },
  }
}

test('the same problem is said once', () => {
  const { fail, lines, advance } = create()
  for (let count = 0; count < 100; count++) {
    fail(500)
    advance(10_000)
  }
  assert.equal(lines.length, 1)
  assert.deepEqual(lines[0]?.fields, {
    hook: 'alerts',
    url: 'http://h/',
    reason: 'server-error',
    answer: 'status 500',
    delivery: 'an-id',
  })
})

test('another problem is said at once', () => {
  const { fail, lines } = create()
  for (const status of [500, 429, 404]) fail(status)
  assert.deepEqual(
    lines.map(({ level, fields }) => [level, fields['reason']]),
    [
      ['warn', 'server-error'],
      ['warn', 'busy'],
      ['error', 'refused'],
    ],
  )
})

test('a problem that comes and goes is said once a minute', () => {
  const { fail, lines, advance, problems } = create()
  for (let second = 0; second < 120; second++) {
    fail(500)
    problems.solved()
    advance(1000)
  }
  assert.equal(lines.length, 2)
})
