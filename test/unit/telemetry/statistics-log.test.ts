import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createStatistics } from '../../../src/telemetry/statistics.ts'
import { startStatisticsLog } from '../../../src/telemetry/statistics-log.ts'
import { rememberingLog } from '../../support/silent-log.ts'

test('every five minutes, until it is stopped, the log gets the counts as the reference writes them', (t) => {
  t.mock.timers.enable({ apis: ['setInterval', 'Date'], now: 1_000_000_000 })
  const { log, lines } = rememberingLog()
  const statistics = createStatistics(Date.now, ['mine'])
  const stop = startStatisticsLog(log, statistics)
  t.mock.timers.tick(299_000)
  statistics.commands.add('report', 3)
  statistics.countRun(0.5, 20)
  assert.equal(lines.length, 0)
  t.mock.timers.tick(1000)
  assert.deepEqual(
    lines.map(({ level, message }) => `${level} ${message}`),
    [
      'info perf stats last 300 secs: WTW_0_1=1 WTW_1_10=0 WTW_10_100=0 WTW_100_1000=0 WTW_Slow=0 ' +
        'WTR_0_1=0 WTR_1_10=0 WTR_10_100=1 WTR_100_1000=0 WTR_Slow=0',
      'info command stats last 300 secs: report=3',
      'info custom stats last 300 secs: mine=0',
    ],
  )
  t.mock.timers.tick(300_000)
  assert.equal(lines.length, 6)
  assert.match(lines[4]?.message ?? '', /report=0$/)
  stop()
  t.mock.timers.tick(600_000)
  assert.equal(lines.length, 6)
})
