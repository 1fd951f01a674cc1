import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { alertDetails, alertLine, alertRows, alertTable } from '../../../src/cli/alert-text.ts'
import { readAlerts, readReason, type ShownAlert } from '../../../src/cli/shown-alert.ts'

const FIELDS = {
  id: 12,
  rule: 'new-country',
  key: 'ann',
  severity: 'high',
  message: 'ann logged in from DE',
  value: 3,
  threshold: 2.5,
  user: 'ann',
  count: 7,
  state: 'open',
  first: 1_700_000_000,
  // Local time of any machine: the test compares with what Date says.
  last: 1_700_000_001.25,
  comments: [],
}

function alertOf(changes: Readonly<Record<string, unknown>> = {}): ShownAlert {
  const [alert] = readAlerts(JSON.stringify({ alert: { ...FIELDS, ...changes } })) ?? []
  assert.ok(alert !== undefined)
  return alert
}

const LINE =
  /^(\d\d\/\d\d\/\d\d) (\d\d:\d\d:\d\d)\.(\d{6}) ("(?:[^"\\]|\\.)*"|[^\s"]+) (\w+) ("(?:[^"\\]|\\.)*") ID=(\d+) TYPE=(\w+) state=(\w+) user=("(?:[^"\\]|\\.)*"|[^\s"]+) v1=(\S+) v2=(\S+)\n$/u

/** What a script reads out of a line. */
function readLine(line: string) {
  const [, date, time, micros, rule, severity, message, id, type, state, user, v1, v2] = LINE.exec(line) ?? []
  return { date, time, micros, rule, severity, message, id, type, state, user, v1, v2 }
}

describe('the line of an alert', () => {
  test('has every field in its place, with the time in the local zone', () => {
    const at = new Date(1_700_000_001_250)
    const two = (number: number): string => String(number).padStart(2, '0')
    assert.deepEqual(readLine(alertLine(alertOf())), {
      date: `${two(at.getMonth() + 1)}/${two(at.getDate())}/23`,
      time: [at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(':'),
      micros: '250000',
      rule: 'new-country',
      severity: 'high',
      message: '"ann logged in from DE"',
      id: '12',
      type: 'policy',
      state: 'open',
      user: 'ann',
      v1: '3',
      v2: '2.5',
    })
  })

  test('counts itself where the policy gave no number, and says - for what is not there', () => {
    const line = alertLine(
      alertOf({ value: undefined, threshold: undefined, user: '', rule: 'server.start' }),
    )
    assert.match(line, / server\.start high .* TYPE=server state=open user=- v1=7 v2=-\n$/)
  })

  const escapes: readonly (readonly [message: string, shown: string])[] = [
    ['say "no"', '"say \\"no\\""'],
    ['a\nb\r\tc', '"a\\nb\\r\\tc"'],
    ['back\\slash', '"back\\\\slash"'],
    ['\u001b[31mred\u0000\u2028', '"\\u001b[31mred\\u0000\\u2028"'],
    ['é ✓', '"é ✓"'],
    ['', '""'],
  ]
  for (const [message, shown] of escapes) {
    test(`shows ${JSON.stringify(message)} as ${shown}`, () => {
      assert.equal(readLine(alertLine(alertOf({ message }))).message, shown)
    })
  }

  test('is one line that can be read back, whatever texts an alert has', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (message, user) => {
        const read = readLine(alertLine(alertOf({ message, user })))
        assert.equal(JSON.parse(read.message ?? ''), message)
        const shownUser = read.user?.startsWith('"') === true ? (JSON.parse(read.user) as string) : read.user
        assert.equal(shownUser, user === '' ? '-' : user)
      }),
    )
  })
})

test('a table has a header and a line for each, whatever a login chose as its name', () => {
  const alerts = [alertOf({ key: 'a\nb\u001b[2J' }), alertOf({ id: 13 })]
  const lines = alertTable(alerts).split('\n')
  assert.equal(lines.length, 4)
  assert.match(lines[0] ?? '', /^ID +Last +Severity +State +Count +Rule +Key +Message$/)
  assert.match(lines[1] ?? '', /^12 +2023-11-14T22:13:21Z high +open +7 +new-country +a b \[2J +ann logged/)
  assert.equal(alertRows(alerts), lines.slice(1).join('\n'))
  assert.equal(alertRows([]), '')
})

test('the details name who acted, and for each notification to whom it went and what was answered', () => {
  const text = alertDetails(
    alertOf({
      acknowledged: { author: 'eve', comment: 'on it', at: 1_700_000_002 },
      comments: [{ author: 'bob', comment: 'known\ntraveller', at: 1_700_000_003 }],
      notifications: [
        {
          at: 1_700_000_004,
          group: 'rule=new-country',
          reason: 'new',
          total: 3,
          deliveries: [
            {
              sink: 'mail',
              delivery: 'd1',
              state: 'delivered',
              tries: 2,
              to: 'ops@example.com',
              answer: '250 ok',
              at: 1_700_000_009,
            },
          ],
        },
      ],
    }),
  )
  assert.match(text, /^Acknowledged +2023-11-14T22:13:22Z by eve: on it$/m)
  assert.match(text, /^Comment +2023-11-14T22:13:23Z by bob: known traveller$/m)
  assert.match(
    text,
    /^2023-11-14T22:13:24Z new +3 +mail +delivered 2 +2023-11-14T22:13:29Z ops@example\.com +250 ok$/m,
  )
  assert.match(alertDetails(alertOf()), /\n\nNobody was told\.\n$/)
})

test('an answer that is none is told from one', () => {
  assert.equal(readAlerts('{"status":"ok"}'), undefined)
  assert.equal(readAlerts('no JSON'), undefined)
  assert.deepEqual(readAlerts('{"alerts":[]}'), [])
  assert.equal(readReason('{"reason":"No."}'), 'No.')
  assert.equal(readReason('Bad Gateway'), 'Bad Gateway')
})
