/**
 * Log functions. Lines leave whether or not the run ends well: they tell what happened in it.
 */
import { ComboAddress } from '../../login/combo-address.ts'
import { Netmask } from '../../login/netmask.ts'
import type { LogFields, LogLevel } from '../../telemetry/log.ts'
import type { HostFunction } from '../host-function.ts'
import type { LuaValue } from '../lua-value.ts'
import { formatNumber } from '../numbers.ts'

export type WriteLog = (level: LogLevel, message: string, fields: LogFields) => void

const FUNCTIONS = [
  { name: 'errorLog', level: 'error', summary: 'Logs an error' },
  { name: 'warnLog', level: 'warn', summary: 'Logs a warning' },
  { name: 'infoLog', level: 'info', summary: 'Logs information' },
  { name: 'vinfoLog', level: 'debug', summary: 'Logs information when the server is verbose (-v)' },
  { name: 'debugLog', level: 'debug', summary: 'Logs for debugging when the server is verbose (-v)' },
] as const satisfies readonly { name: string; level: LogLevel; summary: string }[]

export function loggingFunctions(write: WriteLog): readonly HostFunction[] {
  return FUNCTIONS.map(({ name, level, summary }) => ({
    name,
    usage: `${name}(message, fields)`,
    summary: `${summary}: the message, then key="value" for each field.`,
    scope: 'anywhere',
    isImmediate: true,
    run(call) {
      const message = call.string(1, 'message')
      const fields: Record<string, string> = {}
      for (const [key, value] of call.optionalRecord(2, 'fields') ?? []) fields[key] = fieldText(value)
      write(level, message, fields)
    },
  }))
}

/** As Lua's tostring() has it, where that says something. */
function fieldText(value: LuaValue): string {
  if (typeof value === 'number') return formatNumber(value)
  if (typeof value === 'string' || typeof value === 'boolean') return String(value)
  if (value === undefined || value === null) return 'nil'
  // An address or a netmask says what it is; of a table there is no short text.
  return value instanceof ComboAddress || value instanceof Netmask ? value.toString() : 'table'
}
