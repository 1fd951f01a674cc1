/**
 * Which sinks are told of which alerts, in the configuration.
 */
import { GROUP_FIELDS, type GroupField, ROUTE_DEFAULTS } from '../../alerts/alert-route.ts'
import type { SettingsCollector } from '../../config/settings-collector.ts'
import type { HostFunction } from '../host-function.ts'
import { patternOptions } from './alert-arguments.ts'
import { TableArgument } from './table-argument.ts'

const ROUTE_KEYS = [
  'severity',
  'rule',
  'key',
  'sinks',
  'groupBy',
  'groupWait',
  'groupInterval',
  'repeatInterval',
  'continue',
] as const
/** Each alert is compared with each route. */
const MAX_ROUTES = 1000

export function alertRouteFunctions(settings: SettingsCollector): readonly HostFunction[] {
  return [
    {
      name: 'addAlertRoute',
      usage:
        'addAlertRoute{severity=, rule=, key=, sinks=, groupBy=, groupWait=, groupInterval=, repeatInterval=, continue=}',
      summary: 'Tells these sinks of the alerts that fit; the first route that fits takes an alert.',
      scope: 'configuration',
      run(call) {
        const argument = new TableArgument(call, 'addAlertRoute', ROUTE_KEYS)
        if (settings.alertRoutes.length >= MAX_ROUTES) argument.fail(`there can be at most ${MAX_ROUTES}`)
        const sinks = argument.optionalTexts('sinks') ?? []
        if (sinks.length === 0) argument.fail('sinks is missing: name what addAlertSink has added')
        settings.alertRoutes.push({
          ...patternOptions(argument, 'least'),
          sinks: [...new Set(sinks)],
          groupBy: groupFields(argument),
          groupWaitMs: argument.optionalSpan('groupWait', 0) ?? ROUTE_DEFAULTS.groupWaitMs,
          groupIntervalMs: argument.optionalSpan('groupInterval', 1000) ?? ROUTE_DEFAULTS.groupIntervalMs,
          repeatIntervalMs: argument.optionalSpan('repeatInterval', 1000) ?? ROUTE_DEFAULTS.repeatIntervalMs,
          continues: argument.optionalBoolean('continue') ?? ROUTE_DEFAULTS.continues,
        })
      },
    },
    {
      name: 'setAlertHistory',
      usage: 'setAlertHistory(days)',
      summary: 'Sets how long resolved alerts are kept, and what was told of them; default 90 days.',
      scope: 'configuration',
      run(call) {
        settings.alertHistoryDays = call.number(1, 'days', { min: 0, max: 36_500 })
      },
    },
  ]
}

function groupFields(argument: TableArgument): readonly GroupField[] {
  const names = argument.optionalTexts('groupBy') ?? ROUTE_DEFAULTS.groupBy
  return [...new Set(names)].map(
    (name) =>
      GROUP_FIELDS.find((field) => field === name) ??
      argument.fail(`groupBy must be an array of ${GROUP_FIELDS.join(', ')}`),
  )
}
