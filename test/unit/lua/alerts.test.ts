/** What the functions of alerts collect and ask, and what they say when they are used wrongly. */
import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import type { AlertQuestion, AlertReply } from '../../../src/alerts/alert-questions.ts'
import type { AlertEffect } from '../../../src/alerts/alert.ts'
import { groundsText } from '../../../src/alerts/alert-evidence.ts'
import { SettingsCollector } from '../../../src/config/settings-collector.ts'
import { alertFunctions } from '../../../src/lua/bindings/alerts.ts'
import type { LuaValue } from '../../../src/lua/lua-value.ts'
import { createRunContext } from '../../../src/lua/run-context.ts'
import { loginReport } from '../../support/login-reports.ts'
import { startLua } from '../../support/lua-harness.ts'

const NOW_SECONDS = 1_700_000_000
const REPORT = { login: 'ann', remote: '192.0.2.1', t: 5 } as const
const GROUNDS = {
  report: {
    ...REPORT,
    success: true,
    failType: '',
    protocol: '',
    tls: false,
    deviceId: '',
    deviceAttrs: {},
  },
  earlierReads: 0,
} as const
const SAMPLE = {
  id: 3,
  rule: 'spray',
  key: 'k',
  severity: 'high',
  message: 'm',
  value: 2.5,
  data: '{"a":[1,{"b":null}]}',
  user: 'ann',
  count: 4,
  state: 'open',
  firstAtMs: 1500,
  lastAtMs: 2500,
  changedAtMs: 1500,
  resolveAfterMs: 1,
  firstReport: { ...REPORT, id: 9 },
  comments: [{ author: 'eve', comment: 'hm', atMs: 1000 }],
  revision: 1,
  silence: 's1',
} as const

interface Ran {
  readonly values: readonly LuaValue[]
  readonly error: string
  readonly effects: readonly AlertEffect[]
  readonly asked: readonly AlertQuestion[]
}

async function run(t: TestContext, code: string, reply: AlertReply = { kind: 'no-alert' }): Promise<Ran> {
  const asked: AlertQuestion[] = []
  const lua = startLua(t, {
    mode: 'policy',
    functions: alertFunctions({
      settings: new SettingsCollector(),
      ask(question) {
        assert.ok(question.kind === 'alerts')
        asked.push(question.question)
        return Promise.resolve({ kind: 'alerts', reply })
      },
    }),
  })
  const context = createRunContext('report', 'report', NOW_SECONDS, loginReport(REPORT))
  const outcome = await lua.state.run(context, await lua.fn(`function() ${code} end`), [])
  assert.deepEqual(lua.bugs, [])
  return {
    values: outcome.ok ? outcome.values : [],
    error: outcome.ok ? '' : outcome.error.message,
    effects: context.effects.alerts ?? [],
    asked,
  }
}

test('raiseAlert fills in what is not said', async (t) => {
  const { effects } = await run(t, 'raiseAlert{rule="spray", message="m"}')
  assert.deepEqual(effects, [
    {
      kind: 'raise',
      rule: 'spray',
      key: '',
      severity: 'medium',
      message: 'm',
      user: 'ann',
      atMs: NOW_SECONDS * 1000,
      dedupMs: 3_600_000,
      resolveAfterMs: 86_400_000,
      report: REPORT,
      grounds: groundsText(GROUNDS, '[]'),
    },
  ])
})

test('raiseAlert takes everything that an alert can hold, and resolveAlert its rule and key', async (t) => {
  const { effects } = await run(
    t,
    `raiseAlert{rule="spray", message="\\255", key=17, severity="critical", value=1.5, threshold=-1,
       data={list={1, 2}, nested={x="\\254", [5]=true}, empty={}}, dedup="90s", resolveAfter=60, user="bob",
       parameters={networks=5}}
     resolveAlert{rule="spray", key="k"}`,
  )
  assert.deepEqual(effects, [
    {
      kind: 'raise',
      rule: 'spray',
      key: '17',
      severity: 'critical',
      message: '\udcff',
      value: 1.5,
      threshold: -1,
      data: '{"list":[1,2],"nested":{"5":true,"x":"\\udcfe"},"empty":{}}',
      user: 'bob',
      atMs: NOW_SECONDS * 1000,
      dedupMs: 90_000,
      resolveAfterMs: 60_000,
      report: REPORT,
      grounds: groundsText({ report: GROUNDS.report, parameters: '{"networks":5}', earlierReads: 0 }, '[]'),
    },
    { kind: 'resolve', rule: 'spray', key: 'k', atMs: NOW_SECONDS * 1000 },
  ])
})

const raised = (fields: string): string => `raiseAlert{rule="r", message="m", ${fields}}`

const ERRORS: readonly (readonly [code: string, message: string])[] = [
  ['raiseAlert()', "bad argument #1 to 'raiseAlert' (table: expected a table, got nil)"],
  ['raiseAlert{message="m"}', 'raiseAlert: rule is missing'],
  ['raiseAlert{rule="", message="m"}', 'raiseAlert: rule is missing'],
  ['raiseAlert{rule="r"}', 'raiseAlert: message is missing'],
  [raised('level="high"'), 'raiseAlert: there is no "level"; it takes rule, severity, key, message'],
  [raised('severity="bad"'), 'raiseAlert: severity must be one of info, low, medium, high, critical'],
  [raised('key={}'), 'raiseAlert: key must be a string'],
  [raised('key=("x"):rep(1025)'), 'raiseAlert: key is longer than 1024 bytes'],
  [`raiseAlert{rule=("x"):rep(129), message="m"}`, 'raiseAlert: rule is longer than 128 bytes'],
  [`raiseAlert{rule="r", message=("x"):rep(4097)}`, 'raiseAlert: message is longer than 4096 bytes'],
  [raised('data=("x"):rep(16384)'), 'raiseAlert: data is longer than 16384 bytes as JSON'],
  [raised('data={f=print}'), 'raiseAlert: data cannot hold a function or an object; use tostring()'],
  [raised('data={1/0}'), 'raiseAlert: data cannot hold inf'],
  [
    `local deep = {} for i = 1, 20 do deep = {deep} end ${raised('data=deep')}`,
    'more than 16 tables in one another',
  ],
  [raised('parameters=7'), 'raiseAlert: parameters must be a table with names'],
  [raised('parameters={f=print}'), 'raiseAlert: parameters cannot hold a function'],
  [raised('parameters={x=("x"):rep(4096)}'), 'raiseAlert: parameters are longer than 4096 bytes as JSON'],
  [raised('value="7"'), 'raiseAlert: value must be a finite number'],
  [raised('threshold=0/0'), 'raiseAlert: threshold must be a finite number'],
  [
    raised('dedup="1 year"'),
    'raiseAlert: dedup must be a time span: seconds, or a number with s, m, h, d or w',
  ],
  [raised('dedup=-1'), 'raiseAlert: dedup must be at least 0 seconds'],
  [raised('resolveAfter=0.5'), 'raiseAlert: resolveAfter must be at least 1 seconds'],
  [
    `for i = 1, 1001 do ${raised('key=i')} end`,
    'raiseAlert: one run may raise and resolve at most 1000 alerts',
  ],
  ['resolveAlert{key="k"}', 'resolveAlert: rule is missing'],
  ['getAlerts{since="soon"}', 'getAlerts: since must be Unix seconds, or a date'],
  ['getAlerts{state="gone"}', 'getAlerts: state must be one of open, acknowledged, resolved'],
  ['getAlerts{limit=0}', 'getAlerts: limit must be a whole number from 1 to 10000'],
  ['getAlert("x")', "bad argument #1 to 'getAlert' (id: expected a number, got a string)"],
  ['explainAlert("x")', "bad argument #1 to 'explainAlert' (id: expected a number, got a string)"],
  ['explainAlert(1, "xml")', 'format must be "text" or "table"'],
  ['acknowledgeAlert(1)', "bad argument #2 to 'acknowledgeAlert' (author: expected a string, got nil)"],
  ['acknowledgeAlert(1, "")', 'author must not be empty'],
  ['commentAlert(1, "eve")', "bad argument #3 to 'commentAlert' (text: expected a string, got nil)"],
  ['addSilence{author="e", comment="c"}', 'addSilence: ends is missing'],
  ['addSilence{comment="c", ends="1h"}', 'addSilence: author is missing'],
  ['addSilence{author="e", ends="1h"}', 'addSilence: comment is missing'],
  ['addSilence{author="e", comment="c", ends=5}', 'addSilence: ends is a time that is over'],
]

describe('a function of alerts that is used wrongly says so', () => {
  for (const [code, message] of ERRORS) {
    test(code, async (t) => {
      const { error, asked } = await run(t, code)
      assert.ok(error.includes(message), error)
      assert.deepEqual(asked, [])
    })
  }
})

test('a mistake that the policy catches leaves the other alerts of the run', async (t) => {
  const { effects } = await run(t, `${raised('key=1')} pcall(raiseAlert, {}) ${raised('key=2')}`)
  assert.deepEqual(
    effects.map(({ key }) => key),
    ['1', '2'],
  )
})

const QUESTIONS: readonly (readonly [code: string, asked: AlertQuestion])[] = [
  ['getAlerts()', { kind: 'list', query: { limit: 100 } }],
  [
    'getAlerts{since="3m", severity="low", state={"open", "resolved"}, rule="s*", key="k", limit=5}',
    {
      kind: 'list',
      query: {
        limit: 5,
        sinceMs: (NOW_SECONDS - 180) * 1000,
        leastSeverity: 'low',
        states: ['open', 'resolved'],
        rule: 's*',
        key: 'k',
      },
    },
  ],
  [
    'getAlerts{since=17.5, state="open"}',
    { kind: 'list', query: { limit: 100, sinceMs: 17_500, states: ['open'] } },
  ],
  ['getAlert(7)', { kind: 'get', id: 7 }],
  ['explainAlert(7)', { kind: 'explain', id: 7 }],
  ['explainAlert(7, "table")', { kind: 'explain', id: 7 }],
  [
    'acknowledgeAlert(7, "eve")',
    {
      kind: 'act',
      action: { kind: 'acknowledge', id: 7, author: 'eve', comment: '', atMs: NOW_SECONDS * 1000 },
    },
  ],
  [
    'resolveAlertById(7, "eve", "was a test")',
    {
      kind: 'act',
      action: { kind: 'resolve', id: 7, author: 'eve', comment: 'was a test', atMs: NOW_SECONDS * 1000 },
    },
  ],
  [
    'commentAlert(7, "eve", "hm")',
    {
      kind: 'act',
      action: { kind: 'comment', id: 7, author: 'eve', comment: 'hm', atMs: NOW_SECONDS * 1000 },
    },
  ],
  [
    'addSilence{rule="r*", severity="low", author="e", comment="c", ends="2h"}',
    {
      kind: 'add-silence',
      silence: {
        rule: 'r*',
        mostSeverity: 'low',
        author: 'e',
        comment: 'c',
        fromMs: NOW_SECONDS * 1000,
        untilMs: (NOW_SECONDS + 7200) * 1000,
      },
    },
  ],
  [
    'addSilence{author="e", comment="c", ["until"]=1700000060}',
    {
      kind: 'add-silence',
      silence: {
        author: 'e',
        comment: 'c',
        fromMs: NOW_SECONDS * 1000,
        untilMs: (NOW_SECONDS + 60) * 1000,
      },
    },
  ],
  ['removeSilence("s4")', { kind: 'remove-silence', id: 's4' }],
  ['showSilences()', { kind: 'silences' }],
]

describe('what is asked of the store', () => {
  for (const [code, question] of QUESTIONS)
    test(code, async (t) => assert.deepEqual((await run(t, code)).asked, [question]))
})

test('an alert is a table with times in seconds, and what was told of it', async (t) => {
  const delivery = {
    sink: 'mail',
    deliveryId: 'd',
    state: 'delivered',
    tries: 1,
    atMs: 4000,
    to: 'ops',
    answer: '250',
  } as const
  const told = {
    id: 1,
    atMs: 3000,
    group: 'rule=spray',
    reason: 'new',
    total: 1,
    alertIds: [3],
    deliveries: [delivery],
  } as const
  const { values } = await run(
    t,
    `local a = getAlert(3)
     local told = a.notifications[1]
     return a.id, a.first, a.last, a.data.a[1], a.data.a[2].b, a.first_report.login, a.last_report, a.silence,
       a.comments[1].author, a.comments[1].at, told.at, told.deliveries[1].answer, told.deliveries[1].delivery`,
    { kind: 'alert', alert: SAMPLE, notifications: [told] },
  )
  assert.deepEqual(values, [3, 1.5, 2.5, 1, undefined, 'ann', undefined, 's1', 'eve', 1, 3, '250', 'd'])
})

test('an alert is explained as text, or as a table with times in seconds', async (t) => {
  const first = {
    ...GROUNDS,
    reads: [],
    atMs: 1500,
    severity: 'high',
    message: 'm',
    parameters: '{"a":1}',
  } as const
  const reply = { kind: 'explanation', alert: SAMPLE, evidence: { first } } as const
  const { values } = await run(
    t,
    `local all = explainAlert(3, "table")
     return all.alert.id, all.first.at, all.first.report.login, all.first.parameters.a, all.latest, explainAlert(3)`,
    reply,
  )
  assert.deepEqual(values.slice(0, 5), [3, 1.5, 'ann', 1, undefined])
  const [text] = values.slice(5)
  assert.ok(typeof text === 'string')
  assert.match(text, /^Alert 3: spray about k\. It is high and open\.\n[^]*[^\n]$/)
})

test('what the server refuses is an error where it was asked for', async (t) => {
  const { error } = await run(t, 'removeSilence("c1")', {
    kind: 'refused',
    reason: 'c1 stands in the configuration',
  })
  assert.match(error, /c1 stands in the configuration/)
})
