/**
 * Runs jobs in a policy state and says how each ended. Lives on a policy worker.
 */
import { parseData } from '../alerts/compose-notification.ts'
import { MAX_SINK_BYTES, sinkRunName } from '../delivery/sinks/sink-function.ts'
import { emptyRecord } from '../login/attributes.ts'
import { handlerRunName } from '../events/event-handlers.ts'
import { isLongerThan } from '../login/byte-string.ts'
import { decodeLoginReport } from '../login/report-codec.ts'
import { createLoginTuples, type PushLoginTuple } from '../lua/bindings/login-tuple.ts'
import { jsonOf } from '../lua/bindings/json-argument.ts'
import type { CallOutcome } from '../lua/lua-state.ts'
import { isLuaArray, isLuaTable, type LuaValue } from '../lua/lua-value.ts'
import { formatNumber } from '../lua/numbers.ts'
import { createRunContext, type RunContext } from '../lua/run-context.ts'
import type { Job, RunAnswer, RunOutcome, RunResult, WorkerSetup } from './messages.ts'
import { LoginQueue } from './login-queue.ts'
import type { PolicyState } from './policy-state.ts'
import { effectsOf } from './run-effects.ts'

const NO_EFFECTS: RunOutcome = { ok: true, effects: undefined, answer: undefined }

/** @param hasWaited - for something that is not on this thread: its duration is not what it kept others from running */
type OnResult = (result: RunResult, hasWaited: boolean) => void

export class JobRunner {
  readonly #state: PolicyState
  readonly #onResult: OnResult
  readonly #logins = new LoginQueue()
  readonly #pushLoginTuple: PushLoginTuple
  readonly #timeSource: WorkerSetup['timeSource']

  constructor(state: PolicyState, timeSource: WorkerSetup['timeSource'], onResult: OnResult) {
    this.#state = state
    this.#timeSource = timeSource
    this.#onResult = onResult
    this.#pushLoginTuple = createLoginTuples(state.lua, state.devices)
  }

  /** Starts a job, reports of one login in order. Its result may come before this returns. */
  start(job: Job): void {
    switch (job.kind) {
      case 'report':
        this.#startReport(job)
        return
      case 'background':
        void this.#run(job.id, () => {
          const registered = this.#state.registrations.backgrounds.get(job.name)
          if (registered === undefined) return NO_EFFECTS
          const run = createRunContext('background', job.name, Date.now() / 1000)
          return mapOutcome(this.#state.lua.run(run, registered, []), (outcome) =>
            this.#outcomeOf(run, outcome),
          )
        })
        return
      case 'event':
        void this.#run(job.id, () => {
          const registered = this.#state.registrations.eventHandlers.get(job.name)
          if (registered === undefined) return NO_EFFECTS
          const run = createRunContext('background', handlerRunName(job.name), Date.now() / 1000)
          return mapOutcome(this.#state.lua.run(run, registered, [job.event]), (outcome) =>
            this.#outcomeOf(run, outcome),
          )
        })
        return
      case 'sink':
        void this.#run(job.id, () => this.#startSinkFunction(job))
        return
      case 'endpoint':
        void this.#run(job.id, () => {
          const registered = this.#state.registrations.endpoints.get(job.name)
          if (registered === undefined) return notRegistered(`the custom endpoint ${job.name}`)
          const run = createRunContext('endpoint', job.name, Date.now() / 1000)
          return mapOutcome(this.#state.lua.run(run, registered, [job.args]), (outcome) =>
            this.#endpointOutcome(run, outcome),
          )
        })
        return
      default:
        job satisfies never
    }
  }

  #startSinkFunction(job: Extract<Job, { readonly kind: 'sink' }>): RunOutcome | Promise<RunOutcome> {
    const registered = this.#state.registrations.sinkFunctions.get(job.name)
    if (registered === undefined) return notRegistered(`the function of the alert sink ${job.name}`)
    const args = parseData(job.args)
    const run = createRunContext('sink', sinkRunName(job.name), Date.now() / 1000)
    const outcome = this.#state.lua.run(run, registered, isLuaArray(args) ? args : [])
    return mapOutcome(outcome, (ended) => this.#sinkOutcome(run, ended))
  }

  #startReport(job: Extract<Job, { readonly kind: 'report' }>): void {
    const report = decodeLoginReport(job.report)
    this.#logins.start(report.login, () =>
      this.#run(job.id, () => {
        const { registrations, lua } = this.#state
        if (registrations.report === undefined) return NO_EFFECTS
        const nowSeconds = this.#timeSource === 'report' ? report.t : job.receivedAtMs / 1000
        const run = createRunContext('report', 'report', nowSeconds, report)
        const outcome = lua.run(run, registrations.report, (L) => this.#pushLoginTuple(L, report))
        return mapOutcome(outcome, (ended) => this.#outcomeOf(run, ended))
      }),
    )
  }

  /** Times a run and passes its result on; a promise only when the run waits. */
  #run(id: number, start: () => RunOutcome | Promise<RunOutcome>): Promise<void> | void {
    const begin = performance.now()
    const finish = (outcome: RunOutcome, hasWaited: boolean): void => {
      const startedAtMs = performance.timeOrigin + begin
      this.#onResult({ id, outcome, startedAtMs, durationMs: performance.now() - begin }, hasWaited)
    }
    const outcome = start()
    if (!(outcome instanceof Promise)) return finish(outcome, false)
    return outcome.then((ended) => finish(ended, true))
  }

  /** A failed run leaves nothing: its effects are dropped here. */
  #outcomeOf(run: RunContext, outcome: CallOutcome, answer?: RunAnswer): RunOutcome {
    if (!outcome.ok) return { ok: false, failure: outcome.error }
    const effects = effectsOf(run, this.#state.trends)
    return effects === undefined && answer === undefined ? NO_EFFECTS : { ok: true, effects, answer }
  }

  /** A custom endpoint returns a boolean and, if it likes, a table of strings. */
  #endpointOutcome(run: RunContext, outcome: CallOutcome): RunOutcome {
    if (!outcome.ok) return this.#outcomeOf(run, outcome)
    const [success, table] = outcome.values
    const attributes = attributesOf(table)
    if (typeof success === 'boolean' && attributes !== undefined) {
      return this.#outcomeOf(run, outcome, { kind: 'endpoint', success, attributes })
    }
    return luaError(`the custom endpoint ${run.name} must return a boolean and a table of strings`)
  }

  /** The function of an alert sink returns a text, a table that becomes JSON, or nothing: nil, or false as of `a and b`. */
  #sinkOutcome(run: RunContext, outcome: CallOutcome): RunOutcome {
    if (!outcome.ok) return this.#outcomeOf(run, outcome)
    const [value] = outcome.values
    if (value === undefined || value === null || value === false) return this.#outcomeOf(run, outcome)
    const isTextOrTable = typeof value === 'string' || typeof value === 'object'
    const json = typeof value === 'string' ? ({ ok: true, text: value } as const) : jsonOf(value)
    if (!isTextOrTable || !json.ok) {
      const what = json.ok ? '' : `, and no table with ${json.what}`
      return luaError(`${run.name}: its function must return a string, a table or nil${what}`)
    }
    if (isLongerThan(json.text, MAX_SINK_BYTES))
      return luaError(`${run.name}: what its function returned is longer than ${MAX_SINK_BYTES} bytes`)
    return this.#outcomeOf(run, outcome, { kind: 'sink', text: json.text })
  }
}

function mapOutcome(
  outcome: CallOutcome | Promise<CallOutcome>,
  map: (outcome: CallOutcome) => RunOutcome,
): RunOutcome | Promise<RunOutcome> {
  return outcome instanceof Promise ? outcome.then(map) : map(outcome)
}

function attributesOf(table: LuaValue): Readonly<Record<string, string>> | undefined {
  const entries = entriesOf(table)
  if (entries === undefined) return undefined
  const attributes = emptyRecord<string>()
  for (const [key, value] of entries) {
    const text = textOf(value)
    if (text === undefined) return undefined
    attributes[textOf(key) ?? ''] = text
  }
  return attributes
}

/** As Lua's tostring() has it; undefined for what an attribute cannot be. */
function textOf(value: LuaValue): string | undefined {
  if (typeof value === 'number') return formatNumber(value)
  return typeof value === 'string' || typeof value === 'boolean' ? String(value) : undefined
}

/** Keys and values of a Lua table; none of nil, undefined of anything else. */
function entriesOf(table: LuaValue): Iterable<readonly [string | number | boolean, LuaValue]> | undefined {
  if (table === undefined || table === null) return []
  if (isLuaTable(table)) return table
  return isLuaArray(table) ? table.map((value, index) => [index + 1, value] as const) : undefined
}

function notRegistered(what: string): RunOutcome {
  return luaError(`${what} is not registered in this state`)
}

function luaError(message: string): RunOutcome {
  return { ok: false, failure: { code: 'TRK_LUA_ERROR', message, traceback: '' } }
}
