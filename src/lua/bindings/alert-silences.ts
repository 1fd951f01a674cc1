/**
 * Silences, in the configuration and at run time, and maintenance windows.
 */
import type { ListedSilence } from '../../alerts/alert-questions.ts'
import { ALERT_LIMITS } from '../../alerts/alert.ts'
import { MAX_SILENCES, type NewSilence } from '../../alerts/silence.ts'
import type { SettingsCollector } from '../../config/settings-collector.ts'
import { parseCron } from '../../schedule/cron.ts'
import type { HostCall, HostFunction } from '../host-function.ts'
import { askAlerts, patternOptions, timeOption } from './alert-arguments.ts'
import type { AskStore } from './stored-reports.ts'
import { TableArgument } from './table-argument.ts'

/** `until` is a word of Lua, so it can only be written ["until"]; `ends` is the same. */
const SILENCE_KEYS = ['rule', 'key', 'severity', 'author', 'comment', 'ends', 'until'] as const
const WINDOW_KEYS = ['cron', 'duration', 'comment', 'rule', 'key', 'severity'] as const
const LEAST_WINDOW_MS = 60_000
const COMMENT = { maxBytes: ALERT_LIMITS.commentBytes } as const

export function alertSilenceFunctions(settings: SettingsCollector, ask: AskStore): readonly HostFunction[] {
  return [
    {
      name: 'addSilence',
      usage: 'addSilence{rule=, key=, severity=, author=, comment=, ends=}',
      summary: 'Until it ends nobody is told of the alerts that fit; severity is the most. Answers its id.',
      scope: 'anywhere',
      isImmediate: true,
      run(call) {
        if (call.run !== undefined) return addAtRunTime(call, ask, call.run.nowSeconds * 1000)
        const { alertSilences } = settings
        if (alertSilences.length >= MAX_SILENCES) call.fail(`there can be at most ${MAX_SILENCES} silences`)
        const id = `c${alertSilences.length + 1}`
        alertSilences.push({ ...readSilence(call, undefined), id })
        return id
      },
    },
    {
      name: 'removeSilence',
      usage: 'removeSilence(id)',
      summary: 'Ends a silence that was made at run time; false when there is none of this id.',
      scope: 'anywhere',
      isImmediate: true,
      async run(call) {
        const reply = await askAlerts(call, ask, { kind: 'remove-silence', id: call.string(1, 'id') })
        return reply.kind === 'done' && reply.found
      },
    },
    {
      name: 'showSilences',
      usage: 'showSilences()',
      summary: 'A line for each silence and maintenance window, with id, end, author and comment.',
      scope: 'anywhere',
      async run(call) {
        const reply = await askAlerts(call, ask, { kind: 'silences' })
        return reply.kind === 'silences' ? reply.silences.map(silenceLine).join('') : ''
      },
    },
    maintenanceWindowFunction(settings),
  ]
}

function maintenanceWindowFunction(settings: SettingsCollector): HostFunction {
  return {
    name: 'addMaintenanceWindow',
    usage: 'addMaintenanceWindow{cron=, duration=, comment=, rule=, key=, severity=}',
    summary:
      'Silences the alerts that fit again and again, from the times of the pattern on for the duration.',
    scope: 'configuration',
    run(call) {
      const argument = new TableArgument(call, 'addMaintenanceWindow', WINDOW_KEYS)
      const cron = argument.text('cron', { maxBytes: 256 })
      const parsed = parseCron(cron)
      if (!parsed.ok) return argument.fail(parsed.reason)
      const durationMs = argument.optionalSpan('duration', LEAST_WINDOW_MS)
      if (durationMs === undefined) return argument.fail('duration is missing')
      const { maintenanceWindows } = settings
      if (maintenanceWindows.length >= MAX_SILENCES) argument.fail(`there can be at most ${MAX_SILENCES}`)
      maintenanceWindows.push({
        ...patternOptions(argument, 'most'),
        id: `m${maintenanceWindows.length + 1}`,
        cron,
        durationMs,
        comment: argument.text('comment', COMMENT),
      })
    },
  }
}

async function addAtRunTime(call: HostCall, ask: AskStore, nowMs: number): Promise<string | undefined> {
  const reply = await askAlerts(call, ask, { kind: 'add-silence', silence: readSilence(call, nowMs) })
  return reply.kind === 'silence-added' ? reply.id : undefined
}

/** In the configuration there is no now: it is read anew at every start. */
function readSilence(call: HostCall, nowMs: number | undefined): NewSilence {
  const argument = new TableArgument(call, 'addSilence', SILENCE_KEYS)
  const author = argument.text('author', { maxBytes: ALERT_LIMITS.authorBytes })
  const comment = argument.text('comment', COMMENT)
  const future = { nowMs, direction: 'future' } as const
  const untilMs = timeOption(argument, 'ends', future) ?? timeOption(argument, 'until', future)
  if (untilMs === undefined) return argument.fail('ends is missing: when the silence is over')
  if (nowMs !== undefined && untilMs <= nowMs) return argument.fail('ends is a time that is over')
  return { ...patternOptions(argument, 'most'), author, comment, fromMs: nowMs ?? 0, untilMs }
}

/** `s3 active until 2026-11-21T18:00:00Z rule=spray key=10.* by eve: moving the mail server` */
function silenceLine(silence: ListedSilence): string {
  const { id, isActive, fromMs, untilMs, rule, key, mostSeverity, author, comment } = silence
  const begins = isActive || fromMs === undefined ? '' : ` from ${utcTime(fromMs)}`
  const parts = [
    `${id} ${isActive ? 'active' : 'waiting'}${begins} until ${untilMs === undefined ? 'never' : utcTime(untilMs)}`,
    ...(rule === undefined ? [] : [`rule=${rule}`]),
    ...(key === undefined ? [] : [`key=${key}`]),
    ...(mostSeverity === undefined ? [] : [`severity=${mostSeverity}`]),
    `by ${author}: ${comment}`,
  ]
  return `${parts.join(' ')}\n`
}

function utcTime(atMs: number): string {
  return `${new Date(Math.min(atMs, 8.64e15)).toISOString().slice(0, 19)}Z`
}
