import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createScheduler, nextDue } from '../../../src/schedule/scheduler.ts'
import { silentLog } from '../../support/silent-log.ts'

test('an interval is counted from its last due time, so that it does not drift', () => {
  const schedule = { background: 'f', when: { kind: 'interval', seconds: 10 } } as const
  assert.equal(nextDue(schedule, 100_000, 100_500), 110_000)
  assert.equal(nextDue(schedule, 100_000, 110_000), 120_000)
})

test('an interval leaves out what was missed while the machine slept', () => {
  const schedule = { background: 'f', when: { kind: 'interval', seconds: 10 } } as const
  assert.equal(nextDue(schedule, 100_000, 155_000), 160_000)
})

test('a background function that is still running when it is due again is left out, not run beside itself', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_000_000 })
  const ended: (() => void)[] = []
  const run = (): Promise<void> => new Promise((resolve) => ended.push(resolve))
  const skipped: string[] = []
  const scheduler = createScheduler(
    { log: silentLog, now: Date.now, run, onSkipped: (name) => skipped.push(name) },
    [{ background: 'sweep', when: { kind: 'interval', seconds: 1 } }],
  )
  scheduler.start()
  t.mock.timers.tick(1000)
  t.mock.timers.tick(1000)
  assert.deepEqual({ runs: ended.length, skipped }, { runs: 1, skipped: ['sweep'] })

  ended[0]?.()
  await new Promise((resolve) => setImmediate(resolve))
  t.mock.timers.tick(1000)
  assert.equal(ended.length, 2)

  scheduler.stop()
  t.mock.timers.tick(10_000)
  assert.equal(ended.length, 2)
})

test('functions are independent: one that hangs does not hold another', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_000_000 })
  const runs: string[] = []
  const scheduler = createScheduler(
    {
      log: silentLog,
      now: Date.now,
      run: (name) => {
        runs.push(name)
        return new Promise(() => undefined)
      },
      onSkipped: () => undefined,
    },
    [
      { background: 'hangs', when: { kind: 'interval', seconds: 1 } },
      { background: 'other', when: { kind: 'interval', seconds: 2 } },
    ],
  )
  scheduler.start()
  t.mock.timers.tick(2000)
  scheduler.stop()
  assert.deepEqual(runs, ['hangs', 'other'])
})

test('replaced schedules: one that stays keeps its due time, others end and begin', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_000_000 })
  const runs: string[] = []
  const scheduler = createScheduler(
    {
      log: silentLog,
      now: Date.now,
      run: (name) => {
        runs.push(`${name} at ${Date.now() - 1_000_000}`)
        return Promise.resolve()
      },
      onSkipped: () => undefined,
    },
    [
      { background: 'stays', when: { kind: 'interval', seconds: 10 } },
      { background: 'goes', when: { kind: 'interval', seconds: 10 } },
    ],
  )
  scheduler.start()
  t.mock.timers.tick(6000)
  scheduler.replace([
    { background: 'comes', when: { kind: 'interval', seconds: 7 } },
    { background: 'stays', when: { kind: 'interval', seconds: 10 } },
  ])
  t.mock.timers.tick(4000)
  t.mock.timers.tick(3000)
  scheduler.stop()
  assert.deepEqual(runs, ['stays at 10000', 'comes at 13000'])
})
