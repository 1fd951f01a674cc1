/**
 * What a policy's test can call beside the functions of every policy: test, report, expectAlert and so on. Lives on the
 * thread of the test's Lua state. The manual lists them: trackalert_policies(7).
 */
import { parseTimeSpan } from '../alerts/time-span.ts'
import { utcTime } from '../console/utc-time.ts'
import { viewAlert } from '../alerts/alert-view.ts'
import { parseNetmask } from '../login/netmask.ts'
import { parseLoginReport } from '../login/parse-report.ts'
import { jsonOf } from '../lua/bindings/json-argument.ts'
import { TableArgument } from '../lua/bindings/table-argument.ts'
import type { HostCall, HostFunction, HostResult } from '../lua/host-function.ts'
import type { LuaFunction } from '../lua/lua-value.ts'
import { fits, type AlertWish, type MatchPattern } from './test-alerts.ts'
import type { TestGeography } from './test-geography.ts'
import type { PolicyRuns } from './test-runs.ts'
import type { TestWorld } from './test-world.ts'

interface TestFunctionDeps {
  /** A test is defined. */
  readonly define: (name: string, run: LuaFunction) => void
  /** Of the test that runs; undefined while the file itself is executed. */
  readonly world: () => TestWorld | undefined
  readonly runs: PolicyRuns
  readonly geography: TestGeography
  readonly matches: MatchPattern
}

const DATE = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?))?$/
const WISH_KEYS = ['rule', 'key', 'severity', 'message', 'count'] as const
const TEXT = { maxBytes: 4096 } as const
const DEFAULT_REPORT = { login: 'user@example.com', remote: '192.0.2.1', success: true } as const

export function testFunctions(deps: TestFunctionDeps): readonly HostFunction[] {
  return [
    ...definingFunctions(deps),
    ...runningFunctions(deps),
    ...expectations(deps),
    ...timeFunctions(deps),
  ]
}

function definingFunctions({ define, world, geography }: TestFunctionDeps): readonly HostFunction[] {
  return [
    {
      name: 'test',
      usage: 'test(name, function() … end)',
      summary: 'Defines a test.',
      scope: 'anywhere',
      run(call) {
        if (world() !== undefined) return call.fail('a test cannot define another one')
        define(call.string(1, 'name'), call.function(2, 'function'))
      },
    },
    {
      name: 'fakeGeo',
      usage: 'fakeGeo{["192.0.2.0/24"] = {country_code = "DE"}}',
      summary: 'What every GeoIP database says of these addresses and networks until the test ends.',
      scope: 'anywhere',
      run(call) {
        inTest(call, world, 'fakeGeo')
        for (const [text, value] of call.record(1, 'places')) {
          const network = parseNetmask(text)
          if (network === undefined)
            return call.fail(`fakeGeo: ${JSON.stringify(text)} is no address and no network`)
          const json = jsonOf(value)
          if (!json.ok) return call.fail(`fakeGeo: a record cannot hold ${json.what}`)
          geography.set(network, JSON.parse(json.text))
        }
      },
    },
  ]
}

function runningFunctions({ world, runs }: TestFunctionDeps): readonly HostFunction[] {
  return [
    {
      name: 'report',
      usage: 'report{login=, remote=, success=, t=, …}',
      summary: 'Runs the policy on a report and answers the alerts that it raised.',
      scope: 'anywhere',
      run(call) {
        const now = inTest(call, world, 'report')
        const json = jsonOf(call.value(1) ?? new Map())
        if (!json.ok) return call.fail(`report: a report cannot hold ${json.what}`)
        const given: unknown = JSON.parse(json.text)
        const fields = { ...DEFAULT_REPORT, ...(typeof given === 'object' ? given : {}) }
        const parsed = parseLoginReport(fields, now.nowSeconds)
        if (!parsed.ok) return call.fail(`report: ${parsed.reason}`)
        const { t } = parsed.report
        if (t < now.nowSeconds)
          return call.fail(`report: t is ${utcTime(t)}, and it is ${utcTime(now.nowSeconds)} already`)
        now.nowSeconds = t
        return then(runs.report(parsed.report), (raised) => raised.map(viewAlert))
      },
    },
    {
      name: 'background',
      usage: 'background(name)',
      summary: 'Runs a background function of the policy.',
      scope: 'anywhere',
      run(call) {
        inTest(call, world, 'background')
        return runs.background(call.string(1, 'name'))
      },
    },
  ]
}

function expectations({ world, matches }: TestFunctionDeps): readonly HostFunction[] {
  const found = (call: HostCall, name: string) => {
    const here = inTest(call, world, name)
    here.settle()
    const wish = wishOf(call, name)
    return { here, wish, alerts: here.alerts.all().filter((alert) => fits(alert, wish, matches)) }
  }
  return [
    {
      name: 'expectAlert',
      usage: 'expectAlert{rule=, key=, severity=, message=, count=}',
      summary: 'Fails unless there is such an alert, which it answers; message is a Lua pattern.',
      scope: 'anywhere',
      run(call) {
        const { here, wish, alerts } = found(call, 'expectAlert')
        const [first] = alerts
        return first === undefined ? call.fail(here.explain('expected an alert', wish)) : viewAlert(first)
      },
    },
    {
      name: 'expectNoAlert',
      usage: 'expectNoAlert{rule=, key=, severity=, message=, count=}',
      summary: 'Fails if there is such an alert.',
      scope: 'anywhere',
      run(call) {
        const { here, wish, alerts } = found(call, 'expectNoAlert')
        if (alerts.length > 0) return call.fail(here.explain('expected no alert', wish))
      },
    },
    {
      name: 'forgetAlerts',
      usage: 'forgetAlerts()',
      summary: 'Forgets the alerts so far; what the policy remembers stays.',
      scope: 'anywhere',
      run(call) {
        const here = inTest(call, world, 'forgetAlerts')
        here.settle()
        here.alerts.clear()
      },
    },
  ]
}

function timeFunctions({ world }: TestFunctionDeps): readonly HostFunction[] {
  return [
    {
      name: 'at',
      usage: 'at(date)',
      summary: 'Unix seconds of a date in UTC, such as "2026-01-05 09:00".',
      scope: 'anywhere',
      run(call) {
        const text = call.string(1, 'date')
        const [, day, time = '00:00'] = DATE.exec(text) ?? []
        const seconds = Date.parse(`${day}T${time}Z`) / 1000
        return Number.isNaN(seconds)
          ? call.fail(`at: ${JSON.stringify(text)} is no date; write "2026-01-05" or "2026-01-05 09:00"`)
          : seconds
      },
    },
    {
      name: 'advance',
      usage: 'advance(span)',
      summary: 'Moves the clock on: seconds, or a text such as "2h"; answers what time it is then.',
      scope: 'anywhere',
      run(call) {
        const here = inTest(call, world, 'advance')
        const value = call.value(1)
        const spanMs = typeof value === 'string' ? parseTimeSpan(value) : call.number(1, 'span', SPAN) * 1000
        if (spanMs === undefined)
          return call.fail('advance: the span is seconds, or a number with s, m, h, d or w such as "2h"')
        here.nowSeconds += spanMs / 1000
        return here.nowSeconds
      },
    },
  ]
}

const SPAN = { min: 0, max: 1e10 } as const

function inTest(call: HostCall, world: () => TestWorld | undefined, name: string): TestWorld {
  const here = world()
  return here ?? call.fail(`${name} can only be called inside of test()`)
}

function wishOf(call: HostCall, name: string): AlertWish {
  const none = { rule: undefined, key: undefined, severity: undefined, message: undefined, count: undefined }
  if (call.argumentCount === 0) return none
  const argument = new TableArgument(call, name, WISH_KEYS)
  return {
    rule: argument.optionalText('rule', TEXT),
    key: argument.optionalText('key', TEXT),
    severity: argument.optionalSeverity('severity'),
    message: argument.optionalText('message', TEXT),
    count: argument.optionalNumber('count'),
  }
}

function then<T>(value: T | Promise<T>, map: (value: T) => HostResult): HostResult | Promise<HostResult> {
  return value instanceof Promise ? value.then(map) : map(value)
}
