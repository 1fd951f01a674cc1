/** What the functions of alerts collect from a configuration, and what they say when it is wrong. */
import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { SettingsCollector } from '../../../src/config/settings-collector.ts'
import { alertFunctions } from '../../../src/lua/bindings/alerts.ts'
import { startLua } from '../../support/lua-harness.ts'

/** Runs a configuration; what it collected. */
async function configure(t: TestContext, code: string): Promise<SettingsCollector> {
  const settings = new SettingsCollector()
  const ask = () => assert.fail('a configuration asks nothing')
  const lua = startLua(t, { functions: alertFunctions({ settings, ask }) })
  await lua.values(code)
  return settings
}

test('the configuration says who is told, and what is silenced', async (t) => {
  const settings = await configure(
    t,
    `addAlertRoute{severity="high", rule="spray*", sinks={"a", "b", "a"}, groupBy={"rule", "key"}, groupWait=5,
       groupInterval="1m", repeatInterval="1d", continue=true}
     addAlertRoute{sinks="a", groupBy={}}
     addSilence{rule="x", severity="medium", author="e", comment="c", ends="2030-01-02T00:00Z"}
     addMaintenanceWindow{cron="0 3 * * 0", duration="2h", comment="backup", key="10.*"}
     setAlertHistory(30)`,
  )
  assert.deepEqual(settings.alertRoutes, [
    {
      leastSeverity: 'high',
      rule: 'spray*',
      sinks: ['a', 'b'],
      groupBy: ['rule', 'key'],
      groupWaitMs: 5000,
      groupIntervalMs: 60_000,
      repeatIntervalMs: 86_400_000,
      continues: true,
    },
    {
      sinks: ['a'],
      groupBy: [],
      groupWaitMs: 30_000,
      groupIntervalMs: 300_000,
      repeatIntervalMs: 14_400_000,
      continues: false,
    },
  ])
  const untilMs = Date.UTC(2030, 0, 2)
  assert.deepEqual(settings.alertSilences, [
    { id: 'c1', rule: 'x', mostSeverity: 'medium', author: 'e', comment: 'c', fromMs: 0, untilMs },
  ])
  assert.deepEqual(settings.maintenanceWindows, [
    { id: 'm1', cron: '0 3 * * 0', durationMs: 7_200_000, comment: 'backup', key: '10.*' },
  ])
  assert.equal(settings.alertHistoryDays, 30)
})

const WRONG: readonly (readonly [code: string, message: string])[] = [
  ['raiseAlert{rule="r", message="m"}', 'only by report, background and endpoint functions'],
  ['getAlerts()', 'only by report, background and endpoint functions'],
  ['addAlertRoute{}', 'addAlertRoute: sinks is missing'],
  ['addAlertRoute{sinks={1}}', 'addAlertRoute: sinks must be an array of strings'],
  [
    'addAlertRoute{sinks="a", groupBy="user"}',
    'addAlertRoute: groupBy must be an array of rule, key, severity',
  ],
  ['addAlertRoute{sinks="a", groupInterval=0}', 'addAlertRoute: groupInterval must be at least 1 seconds'],
  ['addSilence{author="e", comment="c", ends="2h"}', 'addSilence: ends must be Unix seconds, or a date'],
  ['addMaintenanceWindow{cron="x", duration="1h", comment="c"}', 'a cron pattern has five'],
  ['addMaintenanceWindow{cron="0 3 * * *", comment="c"}', 'duration is missing'],
  ['addMaintenanceWindow{cron="0 3 * * *", duration=1, comment="c"}', 'duration must be at least 60 seconds'],
]

describe('a mistake in the configuration of alerts', () => {
  for (const [code, message] of WRONG) {
    test(code, async (t) => {
      await assert.rejects(configure(t, code), (error: Error) => {
        assert.ok(error.message.includes(message), error.message)
        return true
      })
    })
  }
})
