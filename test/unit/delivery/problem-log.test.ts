import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ProblemLog } from '../../../src/delivery/problem-log.ts'
import { classify, type Attempt } from '../../../src/delivery/retry.ts'
import { parseWebHookDefinition } from '../../../src/delivery/web-hook.ts'
import { rememberingLog } from '../../support/silent-log.ts'

const ENTRY = { id: 'an-id', hook: 'alerts', body: 'BODY', createdAtMs: 0, tries: 0, nextTryAtMs: 0 }

function create() {
  const { log, lines } = rememberingLog()
  let nowMs = 1_000_000
  const problems = new ProblemLog({ log, now: () => nowMs })
  const parsed = parseWebHookDefinition('alerts', new Map([['url', 'http://u:SECRET@h/']]))
  assert.ok(parsed.ok)
  const { definition } = parsed
  return {
    lines,
    problems,
    advance: (delayMs: number) => (nowMs += delayMs),
    fail: (status: number): void => {
      const attempt: Attempt = { kind: 'answer', status, retryAfter: undefined }
      const verdict = classify(attempt, nowMs)
      assert.ok(verdict.kind !== 'success')
      problems.report(definition, ENTRY, { attempt, verdict })
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
    answer: '500',
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
