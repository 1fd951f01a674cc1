/**
 * Alert sinks: naming them in the configuration, and sending a test through one.
 */
import { accessSync, constants } from 'node:fs'
import type { SettingsCollector } from '../../config/settings-collector.ts'
import { parseAlertSink, type SinkDefinition } from '../../delivery/sinks/alert-sink.ts'
import { LUA_FUNCTION } from '../../delivery/sinks/sink-function.ts'
import type { SinkValue } from '../../delivery/sinks/sink-keys.ts'
import { messageOf } from '../../errors.ts'
import { results, type HostCall, type HostFunction } from '../host-function.ts'
import { isLuaArray, isLuaFunction, isLuaTable, type LuaValue } from '../lua-value.ts'
import type { Registrations } from './registrations.ts'
import type { AskStore } from './stored-reports.ts'

interface AlertSinkDeps {
  readonly settings: SettingsCollector
  readonly registrations: Registrations
  readonly ask: AskStore
}

/** Each has connections and a timer of its own. */
const MAX_SINKS = 100

export function alertSinkFunctions({ settings, registrations, ask }: AlertSinkDeps): readonly HostFunction[] {
  return [
    {
      name: 'addAlertSink',
      usage: 'addAlertSink(name, type, keys)',
      summary: 'Names a place where alerts are sent; its type is webhook, email, syslog, snmp or exec.',
      scope: 'configuration',
      run(call) {
        const name = call.string(1, 'name')
        const type = call.string(2, 'type')
        const keys: Record<string, SinkValue> = {}
        for (const [key, value] of call.record(3, 'keys')) keys[key] = sinkValue(call, { name, key, value })
        if (settings.alertSinks.has(name))
          return call.fail(`there is already an alert sink ${JSON.stringify(name)}`)
        if (settings.alertSinks.size >= MAX_SINKS)
          return call.fail(`there can be at most ${MAX_SINKS} alert sinks`)
        const parsed = parseAlertSink(name, type, keys)
        if (!parsed.ok) return call.fail(parsed.reason)
        checkFiles(call, settings, parsed.definition)
        settings.alertSinks.set(name, { type, keys })
      },
      inPolicyState(call) {
        const name = call.string(1, 'name')
        for (const value of call.record(3, 'keys').values())
          if (isLuaFunction(value)) registrations.sinkFunctions.set(name, value)
      },
    },
    {
      name: 'testAlertSink',
      usage: 'testAlertSink(name)',
      summary:
        'Sends a marked test through an alert sink; answers true or false, and what the other side said.',
      scope: 'anywhere',
      isImmediate: true,
      async run(call) {
        const name = call.string(1, 'name')
        if (call.run === undefined)
          return call.fail(
            'an alert sink can be tested only on the console and by report, background and endpoint functions',
          )
        if (call.run.kind === 'sink')
          return call.fail('not in the function of an alert sink, which a test may call')
        const answer = await ask({ kind: 'test-alert-sink', name })
        return answer.kind === 'test-alert-sink' ? results(answer.ok, answer.answer) : undefined
      },
    },
  ]
}

/** A script may be put there later; certificates are read at the start. */
function checkFiles(call: HostCall, settings: SettingsCollector, definition: SinkDefinition): void {
  const sink = `alert sink ${JSON.stringify(definition.name)}`
  if (definition.type === 'exec') {
    const problem = accessProblem(definition.argv[0], constants.X_OK)
    if (problem !== undefined) settings.notice(`${sink}: its script cannot be run so far: ${problem}`)
  }
  if ((definition.type === 'email' || definition.type === 'syslog') && definition.caFile !== undefined) {
    const problem = accessProblem(definition.caFile, constants.R_OK)
    if (problem !== undefined) call.fail(`${sink}: ca cannot be read: ${problem}`)
  }
}

function accessProblem(file: string, mode: number): string | undefined {
  try {
    accessSync(file, mode)
    return undefined
  } catch (error) {
    return messageOf(error)
  }
}

interface GivenKey {
  /** Of the sink. */
  readonly name: string
  readonly key: string
  readonly value: LuaValue
}

function sinkValue(call: HostCall, { name, key, value }: GivenKey): SinkValue {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value
  if (isLuaFunction(value)) return LUA_FUNCTION
  const list = isLuaTable(value) && value.size === 0 ? [] : value
  if (isLuaArray(list) && list.every((item) => typeof item === 'string')) return list
  return call.fail(
    `alert sink ${JSON.stringify(name)}: ${key} must be a string, a number, true, false, an array of strings, or where the manual says so a function`,
  )
}
