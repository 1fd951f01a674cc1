/**
 * Alerts: raising and resolving them in a run, which takes place when the run has ended well; finding them and what
 * operators do to them, which takes place at once. How they are told is alert-routes.ts and alert-silences.ts.
 */
import type { SettingsCollector } from '../../config/settings-collector.ts'
import {
  ALERT_LIMITS,
  ALERT_STATES,
  type AlertAction,
  type AlertEffect,
  type AlertState,
  DEFAULT_DEDUP_MS,
  DEFAULT_RESOLVE_AFTER_MS,
} from '../../alerts/alert.ts'
import { isLongerThan } from '../../login/byte-string.ts'
import type { AlertQuery } from '../../store/alert-store.ts'
import type { HostCall, HostFunction } from '../host-function.ts'
import type { RunContext } from '../run-context.ts'
import { explainFunctions } from './alert-explanations.ts'
import { groundsOf } from './alert-grounds.ts'
import { alertRouteFunctions } from './alert-routes.ts'
import { alertSilenceFunctions } from './alert-silences.ts'
import { viewAlert, viewNotification } from '../../alerts/alert-view.ts'
import { askAlerts, runOf, timeOption } from './alert-arguments.ts'
import { jsonOf } from './json-argument.ts'
import type { AskStore } from './stored-reports.ts'
import { TableArgument } from './table-argument.ts'

interface AlertDeps {
  readonly settings: SettingsCollector
  readonly ask: AskStore
}

const RAISE_KEYS = [
  'rule',
  'severity',
  'key',
  'message',
  'value',
  'threshold',
  'data',
  'dedup',
  'resolveAfter',
  'user',
  'parameters',
] as const
const QUERY_KEYS = ['since', 'severity', 'state', 'rule', 'key', 'limit'] as const
const ID = { min: 1, max: Number.MAX_SAFE_INTEGER } as const
const DEFAULT_LIMIT = 100
const MAX_LIMIT = 10_000

export function alertFunctions(deps: AlertDeps): readonly HostFunction[] {
  return [
    ...raiseFunctions(),
    ...findFunctions(deps.ask),
    ...explainFunctions(deps.ask),
    ...actionFunctions(deps.ask),
    ...alertRouteFunctions(deps.settings),
    ...alertSilenceFunctions(deps.settings, deps.ask),
  ]
}

function raiseFunctions(): readonly HostFunction[] {
  return [
    {
      name: 'raiseAlert',
      usage:
        'raiseAlert{rule=, severity=, key=, message=, value=, threshold=, data=, dedup=, resolveAfter=, user=, parameters=}',
      summary: 'Raises an alert once the run has ended well; raised again within dedup it is the same alert.',
      scope: 'anywhere',
      run(call) {
        addEffect(call, 'raiseAlert', (run, nowMs) => {
          const argument = new TableArgument(call, 'raiseAlert', RAISE_KEYS)
          const value = argument.optionalNumber('value')
          const threshold = argument.optionalNumber('threshold')
          const data = dataOption(argument)
          const { report } = run
          return {
            kind: 'raise',
            rule: argument.text('rule', { maxBytes: ALERT_LIMITS.ruleBytes }),
            key: argument.optionalText('key', { maxBytes: ALERT_LIMITS.keyBytes }) ?? '',
            severity: argument.optionalSeverity('severity') ?? 'medium',
            message: argument.text('message', { maxBytes: ALERT_LIMITS.messageBytes }),
            ...(value === undefined ? {} : { value }),
            ...(threshold === undefined ? {} : { threshold }),
            ...(data === undefined ? {} : { data }),
            user: argument.optionalText('user', { maxBytes: ALERT_LIMITS.userBytes }) ?? report?.login ?? '',
            atMs: nowMs,
            dedupMs: argument.optionalSpan('dedup', 0) ?? DEFAULT_DEDUP_MS,
            resolveAfterMs: argument.optionalSpan('resolveAfter', 1000) ?? DEFAULT_RESOLVE_AFTER_MS,
            ...(report === undefined
              ? {}
              : { report: { login: report.login, remote: report.remote, t: report.t } }),
            grounds: groundsOf(argument, run),
          }
        })
      },
    },
    {
      name: 'resolveAlert',
      usage: 'resolveAlert{rule=, key=}',
      summary: 'Resolves the open alert of this rule and key, if there is one, once the run has ended well.',
      scope: 'anywhere',
      run(call) {
        addEffect(call, 'resolveAlert', (_run, nowMs) => {
          const argument = new TableArgument(call, 'resolveAlert', ['rule', 'key'])
          return {
            kind: 'resolve',
            rule: argument.text('rule', { maxBytes: ALERT_LIMITS.ruleBytes }),
            key: argument.optionalText('key', { maxBytes: ALERT_LIMITS.keyBytes }) ?? '',
            atMs: nowMs,
          }
        })
      },
    },
  ]
}

function findFunctions(ask: AskStore): readonly HostFunction[] {
  return [
    {
      name: 'getAlerts',
      usage: 'getAlerts{since=, severity=, state=, rule=, key=, limit=}',
      summary: 'An array of alerts, raised last first; severity is the least, rule and key may hold * and ?.',
      scope: 'anywhere',
      async run(call) {
        const reply = await askAlerts(call, ask, { kind: 'list', query: alertQuery(call) })
        return reply.kind === 'alerts' ? reply.alerts.map(viewAlert) : []
      },
    },
    {
      name: 'getAlert',
      usage: 'getAlert(id)',
      summary: 'One alert, with what was told of it to whom; nil when there is none of this number.',
      scope: 'anywhere',
      async run(call) {
        const reply = await askAlerts(call, ask, { kind: 'get', id: call.integer(1, 'id', ID) })
        return reply.kind === 'alert'
          ? { ...viewAlert(reply.alert), notifications: reply.notifications.map(viewNotification) }
          : undefined
      },
    },
  ]
}

function actionFunctions(ask: AskStore): readonly HostFunction[] {
  const action = (name: string, kind: AlertAction['kind'], third: string, summary: string): HostFunction => ({
    name,
    usage: `${name}(id, author, ${third})`,
    summary,
    scope: 'anywhere',
    isImmediate: true,
    async run(call) {
      const id = call.integer(1, 'id', ID)
      const author = limited(call, 2, 'author', ALERT_LIMITS.authorBytes)
      const comment =
        kind === 'comment' || call.argumentCount > 2 ? limited(call, 3, third, ALERT_LIMITS.commentBytes) : ''
      const { nowMs } = runOf(call)
      const reply = await askAlerts(call, ask, {
        kind: 'act',
        action: { kind, id, author, comment, atMs: nowMs },
      })
      return reply.kind === 'alert'
    },
  })
  return [
    action(
      'acknowledgeAlert',
      'acknowledge',
      'comment',
      'Says that somebody looks after an alert: it is not told again until it gets worse; false when there is none.',
    ),
    action(
      'resolveAlertById',
      'resolve',
      'comment',
      'Resolves an alert by its number, at once and in the name of its author; false when there is none.',
    ),
    action('commentAlert', 'comment', 'text', 'Adds a comment to an alert; false when there is none.'),
  ]
}

/** Checks it at once; it takes place when the run has ended well. */
function addEffect(
  call: HostCall,
  name: string,
  read: (run: RunContext, nowMs: number) => AlertEffect,
): void {
  const { run, nowMs } = runOf(call)
  if (run.kind === 'sink')
    call.fail(`${name}: not in the function of an alert sink, since telling of the alert would call it again`)
  const effects = (run.effects.alerts ??= [])
  if (effects.length >= ALERT_LIMITS.effectsPerRun)
    call.fail(`${name}: one run may raise and resolve at most ${ALERT_LIMITS.effectsPerRun} alerts`)
  effects.push(read(run, nowMs))
}

function dataOption(argument: TableArgument): string | undefined {
  const value = argument.value('data')
  if (value === undefined || value === null) return undefined
  const json = jsonOf(value)
  if (!json.ok) return argument.fail(`data cannot hold ${json.what}`)
  return Buffer.byteLength(json.text) > ALERT_LIMITS.dataBytes
    ? argument.fail(`data is longer than ${ALERT_LIMITS.dataBytes} bytes as JSON`)
    : json.text
}

function alertQuery(call: HostCall): AlertQuery {
  const { nowMs } = runOf(call)
  if (call.argumentCount === 0) return { limit: DEFAULT_LIMIT }
  const argument = new TableArgument(call, 'getAlerts', QUERY_KEYS)
  const sinceMs = timeOption(argument, 'since', { nowMs, direction: 'past' })
  const leastSeverity = argument.optionalSeverity('severity')
  const states = argument.optionalTexts('state')?.map((text) => stateOf(argument, text))
  const rule = argument.optionalText('rule', { maxBytes: ALERT_LIMITS.ruleBytes })
  const key = argument.optionalText('key', { maxBytes: ALERT_LIMITS.keyBytes })
  const limit = argument.optionalNumber('limit') ?? DEFAULT_LIMIT
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIMIT)
    argument.fail(`limit must be a whole number from 1 to ${MAX_LIMIT}`)
  return {
    limit,
    ...(sinceMs === undefined ? {} : { sinceMs }),
    ...(leastSeverity === undefined ? {} : { leastSeverity }),
    ...(states === undefined ? {} : { states }),
    ...(rule === undefined ? {} : { rule }),
    ...(key === undefined ? {} : { key }),
  }
}

function stateOf(argument: TableArgument, text: string): AlertState {
  return (
    ALERT_STATES.find((state) => state === text) ??
    argument.fail(`state must be one of ${ALERT_STATES.join(', ')}, or an array of these`)
  )
}

function limited(call: HostCall, position: number, name: string, maxBytes: number): string {
  const text = call.string(position, name)
  if (text === '') return call.fail(`${name} must not be empty`)
  return isLongerThan(text, maxBytes) ? call.fail(`${name} is longer than ${maxBytes} bytes`) : text
}
