import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RefusalLog } from '../../../src/control/refusal-log.ts'
import { rememberingLog } from '../../support/silent-log.ts'

function create() {
  const { log, lines } = rememberingLog()
  let nowMs = 1_000_000
  const refusals = new RefusalLog({ log, now: () => nowMs })
  return { refusals, lines, advance: (delayMs: number) => (nowMs += delayMs) }
}

test('a reason is said once a minute, with how many were not said', () => {
  const { refusals, lines, advance } = create()
  for (let count = 0; count < 90; count++) {
    refusals.report('bad-mac', `192.0.2.${count}`)
    advance(1_000)
  }
  assert.deepEqual(
    lines.map(({ level, fields }) => [level, fields]),
    [
      ['warn', { reason: 'bad-mac', peer: '192.0.2.0' }],
      ['warn', { reason: 'bad-mac', peer: '192.0.2.60', unsaidBefore: 59 }],
    ],
  )
})

test('another reason is said at once, and a client that only went quiet is no warning', () => {
  const { refusals, lines } = create()
  refusals.report('bad-mac', '192.0.2.1')
  refusals.report('idle', '192.0.2.1')
  assert.deepEqual(
    lines.map(({ level, fields }) => [level, fields['reason']]),
    [
      ['warn', 'bad-mac'],
      ['info', 'idle'],
    ],
  )
})
