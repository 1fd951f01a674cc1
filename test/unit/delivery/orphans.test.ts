import assert from 'node:assert/strict'
import { test } from 'node:test'
import { watchOrphans } from '../../../src/delivery/orphans.ts'
import type { Orphans, OrphanRule } from '../../../src/delivery/outbox.ts'
import { rememberingLog } from '../../support/silent-log.ts'

test('what has no receiver is given up in rounds, counted, and said', async () => {
  const { log, lines } = rememberingLog()
  const rounds: (readonly Orphans[])[] = [
    [{ hook: 'gone', buried: 1000, waiting: 700 }],
    [{ hook: 'gone', buried: 500, waiting: 200 }],
    [{ hook: 'gone', buried: 0, waiting: 200 }],
  ]
  const rules: OrphanRule[] = []
  let dropped = 0
  const finished = Promise.withResolvers<void>()
  const watch = watchOrphans(
    {
      now: () => 100_000,
      log,
      metrics: { webHooksDropped: { inc: (_labels, count = 1) => (dropped += count) } },
      outbox: {
        buryOrphans(rule) {
          rules.push(rule)
          const next = rounds.shift() ?? []
          if (rounds.length === 0) finished.resolve()
          return Promise.resolve(next)
        },
      },
    },
    () => ['there'],
    3_600_000 * 24,
  )
  watch.start()
  await finished.promise
  await watch.stop()
  assert.equal(rules.length, 3)
  assert.deepEqual(rules[0], {
    named: ['there'],
    createdBeforeMs: 100_000 - 86_400_000,
    reason: 'no such webhook',
  })
  assert.equal(dropped, 1500)
  assert.deepEqual(
    lines.map(({ message, fields }) => [message.replace(/.*configuration/, '…'), fields['messages']]),
    [
      ['… does not name are given up', 1000],
      ['… does not name', 700],
      ['… does not name are given up', 500],
    ],
  )
})
