import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newAlert } from '../../../src/alerts/alert-changes.ts'
import { replayText } from '../../../src/replay/replay-text.ts'
import { BadLines } from '../../../src/replay/reports-of-files.ts'
import { raise } from '../../support/alert-fixtures.ts'
import { START_MS } from '../../support/store-reports.ts'

function textOf(keys: readonly string[]): string {
  const alerts = keys.map((key, index) =>
    newAlert(index + 1, raise({ key, atMs: START_MS, message: 'm' }), undefined),
  )
  const end = { alerts, failures: [], failedRuns: 0, backgroundRuns: 0, backgroundGaps: 0, webHooks: 0 }
  return replayText(
    {
      reports: 1,
      firstSeconds: START_MS / 1000,
      lastSeconds: START_MS / 1000,
      late: 0,
      tookMs: 1,
      badLines: new BadLines(),
      configurations: [{ file: '/a.conf', end, judgement: undefined }],
      difference: undefined,
    },
    3,
  )
}

test('an example says what the alert is about, unless it is about the whole site', () => {
  assert.match(textOf(['ann']), /^ {2}1 \S+ \S+ \w+ ann: m$/m)
  assert.match(textOf(['']), /^ {2}1 \S+ \S+ \w+: m$/m)
})
