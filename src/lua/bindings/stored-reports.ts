/**
 * What the store keeps beside trends, in Lua: past reports, reports whose run failed, webhooks that were given up. The
 * questions are answered by the main thread; other runs go on meanwhile. What these functions do takes place at once: it
 * does not wait for the end of the run, and is not taken back when the run fails.
 */
import { dumpPage } from '../../store/dump-reports.ts'
import { decodeLoginReport } from '../../login/report-codec.ts'
import type { StoreAnswer, StoreQuestion } from '../../policy/store-questions.ts'
import type { HistoryEntry } from '../../store/store.ts'
import { results, type HostCall, type HostFunction } from '../host-function.ts'
import type { LuaValue } from '../lua-value.ts'
import type { RunContext } from '../run-context.ts'

const LIMIT = { min: 1, max: 10_000 } as const
const DEFAULT_LIMIT = 100
const DUMP_LIMIT = 500
const AFTER = { min: -1, max: Number.MAX_SAFE_INTEGER } as const
const ID = { min: 0, max: Number.MAX_SAFE_INTEGER } as const
/** `until` is a word of Lua, so it can only be written ["until"]; `before` is the same. */
const KEYS: ReadonlySet<string> = new Set(['login', 'remote', 'since', 'before', 'until', 'success', 'limit'])

export type AskStore = (question: StoreQuestion) => Promise<StoreAnswer>

export function storedReportFunctions(ask: AskStore): readonly HostFunction[] {
  return [...historyFunctions(ask), ...failedReportFunctions(ask), ...deadLetterFunctions(ask)]
}

function historyFunctions(ask: AskStore): readonly HostFunction[] {
  return [
    {
      name: 'getReports',
      usage: 'getReports{login=, remote=, since=, before=, success=, limit=}',
      summary: 'An array of past reports, newest first; since and before are Unix seconds of receipt.',
      scope: 'anywhere',
      async run(call) {
        insideRun(call)
        const answer = await ask({ kind: 'history', query: historyQuery(call) })
        return answer.kind === 'history' ? answer.reports.map(reportTable) : []
      },
    },
    {
      name: 'dumpReports',
      usage: 'dumpReports(after, limit)',
      summary:
        'Past reports as lines of JSON, oldest first, and the number to give as after for those that follow, nil at the end.',
      scope: 'anywhere',
      // A page is long: it is not made again in every policy worker.
      isImmediate: true,
      async run(call) {
        insideRun(call)
        const afterId = call.optionalNumber(1, 'after', AFTER) ?? AFTER.min
        const limit = call.optionalNumber(2, 'limit', LIMIT) ?? DUMP_LIMIT
        const answer = await ask({ kind: 'history', query: { afterId, limit } })
        if (answer.kind !== 'history') return results('')
        const { lines, after } = dumpPage(answer.reports)
        return results(lines, after ?? null)
      },
    },
    {
      name: 'forgetLogin',
      usage: 'forgetLogin(login)',
      summary:
        'Erases a person from past reports, failed reports, trends and alerts; answers how many of each went.',
      scope: 'anywhere',
      isImmediate: true,
      async run(call) {
        insideRun(call)
        const login = call.string(1, 'login')
        // It is what alerts about nobody have: all of them would go.
        if (login === '') return call.fail('forgetLogin: login must not be empty')
        const answer = await ask({ kind: 'forget-login', login })
        return answer.kind === 'forget-login'
          ? { reports: answer.reports, rows: answer.trendRows, alerts: answer.alerts, mails: answer.mails }
          : undefined
      },
    },
  ]
}

function failedReportFunctions(ask: AskStore): readonly HostFunction[] {
  return [
    {
      name: 'getFailedReports',
      usage: 'getFailedReports(limit)',
      summary:
        'An array of reports whose run failed, newest first, each with id, report, code, message and traceback.',
      scope: 'anywhere',
      async run(call) {
        insideRun(call)
        const answer = await ask({ kind: 'failed-reports', limit: limitArgument(call) })
        if (answer.kind !== 'failed-reports') return []
        return answer.reports.map(({ id, text, failedAtMs, failure }) => ({
          id,
          failed: failedAtMs / 1000,
          report: plainReport(text),
          ...failure,
        }))
      },
    },
    action(
      {
        name: 'rerunFailedReport',
        summary: 'Runs a failed report again; false, and why, when there is no such report.',
        what: 'failed report',
      },
      (id) => ask({ kind: 'rerun-failed-report', id }),
    ),
  ]
}

function deadLetterFunctions(ask: AskStore): readonly HostFunction[] {
  return [
    {
      name: 'getDeadLetters',
      usage: 'getDeadLetters(limit)',
      summary:
        'An array of webhooks that were given up, newest first, each with id, hook, delivery, reason, tries and body.',
      scope: 'anywhere',
      async run(call) {
        insideRun(call)
        const answer = await ask({ kind: 'dead-letters', limit: limitArgument(call) })
        if (answer.kind !== 'dead-letters') return []
        return answer.letters.map((letter) => ({
          id: letter.id,
          hook: letter.receiver,
          delivery: letter.deliveryId,
          body: letter.body,
          created: letter.createdAtMs / 1000,
          died: letter.diedAtMs / 1000,
          tries: letter.tries,
          reason: letter.reason,
        }))
      },
    },
    action(
      {
        name: 'resendDeadLetter',
        summary:
          'Puts a webhook that was given up back into the queue under its delivery id; false, and why, when there is no such one.',
        what: 'webhook that was given up with the number',
      },
      (id) => ask({ kind: 'resend-dead-letter', id }),
    ),
  ]
}

function action(
  { name, summary, what }: { readonly name: string; readonly summary: string; readonly what: string },
  ask: (id: number) => Promise<StoreAnswer>,
): HostFunction {
  return {
    name,
    usage: `${name}(id)`,
    summary,
    scope: 'anywhere',
    isImmediate: true,
    async run(call) {
      insideRun(call)
      const id = call.integer(1, 'id', ID)
      const answer = await ask(id)
      return answer.kind === 'done' && answer.found ? true : results(false, `there is no ${what} ${id}`)
    },
  }
}

/** The run that asks; raises a Lua error while the configuration file itself is executed. */
export function insideRun(call: HostCall): RunContext {
  return call.run ?? call.fail('the store can be asked only by report, background and endpoint functions')
}

function limitArgument(call: HostCall): number {
  return call.optionalNumber(1, 'limit', LIMIT) ?? DEFAULT_LIMIT
}

function historyQuery(call: HostCall) {
  const options = call.record(1, 'query')
  for (const key of options.keys()) {
    if (!KEYS.has(key))
      call.fail(`getReports knows no ${JSON.stringify(key)}; it takes ${[...KEYS].join(', ')}`)
  }
  const login = optional(call, options, { key: 'login', type: 'string' })
  const remote = optional(call, options, { key: 'remote', type: 'string' })
  const since = optional(call, options, { key: 'since', type: 'number' })
  const before =
    optional(call, options, { key: 'before', type: 'number' }) ??
    optional(call, options, { key: 'until', type: 'number' })
  const success = optional(call, options, { key: 'success', type: 'boolean' })
  const limit = optional(call, options, { key: 'limit', type: 'number' }) ?? DEFAULT_LIMIT
  if (!Number.isInteger(limit) || limit < LIMIT.min || limit > LIMIT.max) {
    call.fail(`getReports: limit must be a whole number from ${LIMIT.min} to ${LIMIT.max}`)
  }
  return {
    limit,
    ...(login === undefined ? {} : { login }),
    ...(remote === undefined ? {} : { remote }),
    ...(since === undefined ? {} : { sinceMs: since * 1000 }),
    ...(before === undefined ? {} : { untilMs: before * 1000 }),
    ...(success === undefined ? {} : { success }),
  }
}

interface TypeOf {
  readonly string: string
  readonly number: number
  readonly boolean: boolean
}

function optional<T extends keyof TypeOf>(
  call: HostCall,
  options: ReadonlyMap<string, LuaValue>,
  { key, type }: { readonly key: string; readonly type: T },
): TypeOf[T] | undefined {
  const value = options.get(key)
  if (value === undefined || value === null) return undefined
  if (isOfType(value, type)) return value
  return call.fail(`getReports: ${key} must be a ${type}`)
}

function isOfType<T extends keyof TypeOf>(value: unknown, type: T): value is TypeOf[T] {
  return typeof value === type
}

function reportTable({ id, receivedAtMs, text }: HistoryEntry): Readonly<Record<string, LuaValue>> {
  return { ...plainReport(text), id, received: receivedAtMs / 1000 }
}

/** A report as a plain table: the fields of a LoginTuple, the address as text. */
function plainReport(text: string): Readonly<Record<string, LuaValue>> {
  const { remote_port: _, ...report } = decodeLoginReport(text)
  return report
}
