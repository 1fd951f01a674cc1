/**
 * The main thread's answers to what lines of the console ask about the server.
 */
import type { ShownSetting } from './console-questions.ts'
import type { ActionResult, ServerAnswer, ServerQuestion, WorkerState } from './console-questions.ts'
import { settingsFrom, type Settings } from '../config/settings.ts'
import type { SinkStatus, WebHookCounters } from '../delivery/delivery.ts'
import type { NetmaskGroup } from '../login/netmask-group.ts'
import type { Log, LogLevel } from '../telemetry/log.ts'
import type { Statistics } from '../telemetry/statistics.ts'
import { showSettings } from './show-settings.ts'

/** What is in force is asked for at each question: a reload may have changed it. */
export interface ServerAnswerDeps {
  readonly version: string
  readonly log: Pick<Log, 'setLevel'>
  readonly statistics: Pick<Statistics, 'performance' | 'commands' | 'custom'>
  readonly reportCount: () => number
  readonly settings: () => Settings
  /** The group that the listeners match against. */
  readonly acl: () => Pick<NetmaskGroup, 'masks' | 'addMask' | 'clear'>
  readonly webHooks: () => readonly WebHookCounters[]
  readonly alertSinks: () => readonly SinkStatus[]
  /** Webhooks and notifications in the queue. */
  readonly webHooksWaiting: () => number
  readonly workers: () => readonly WorkerState[]
  readonly reloadGeoDatabases: () => Promise<ActionResult>
  readonly reloadConfiguration: () => Promise<ActionResult>
}

/** Answers a question; rejects when an action fails in a way that is no result of it. */
export async function answerServerQuestion(
  deps: ServerAnswerDeps,
  question: ServerQuestion,
): Promise<ServerAnswer> {
  const { kind } = question
  switch (kind) {
    case 'report-count':
      return { kind, reports: deps.reportCount() }
    case 'counts':
      return { kind, counts: deps.statistics[question.of].read() }
    case 'acl':
      return { kind, netmasks: deps.acl().masks() }
    case 'change-acl':
      changeAcl(deps.acl(), question)
      return { kind }
    case 'web-hooks':
      return { kind, hooks: deps.webHooks(), waiting: deps.webHooksWaiting() }
    case 'alert-sinks':
      return { kind, sinks: deps.alertSinks() }
    case 'endpoints':
      return { kind, names: deps.settings().customEndpoints.toSorted() }
    case 'workers':
      return { kind, workers: deps.workers() }
    case 'settings':
      return { kind, settings: shownSettings(deps) }
    case 'version':
      return { kind, version: deps.version }
    case 'reload-geoip':
      return { kind, ...(await deps.reloadGeoDatabases()) }
    case 'reload-configuration':
      return { kind, ...(await deps.reloadConfiguration()) }
    case 'set-log-level':
      deps.log.setLevel(levelOf(question.level))
      return { kind }
    default:
      return question satisfies never
  }
}

/** The configuration thread has checked the netmasks, so nothing is left half done. */
function changeAcl(
  acl: Pick<NetmaskGroup, 'addMask' | 'clear'>,
  { mode, netmasks }: Extract<ServerQuestion, { readonly kind: 'change-acl' }>,
): void {
  if (mode === 'replace') acl.clear()
  for (const mask of netmasks) acl.addMask(mask)
}

function shownSettings(deps: ServerAnswerDeps): readonly ShownSetting[] {
  return showSettings({ ...deps.settings(), acl: deps.acl().masks() }, settingsFrom)
}

/** From syslog's numbers. */
function levelOf(level: number): LogLevel {
  if (level <= 3) return 'error'
  if (level === 4) return 'warn'
  return level <= 6 ? 'info' : 'debug'
}
