/** Logs for tests: one that says nothing, and one that remembers. */
import type { Log, LogFields, LogLevel } from '../../src/telemetry/log.ts'

const nothing = (): void => undefined

export const silentLog: Log = {
  error: nothing,
  warn: nothing,
  info: nothing,
  debug: nothing,
  verbatim: nothing,
  isEnabled: () => false,
  setLevel: nothing,
}

export interface RememberedLine {
  readonly level: LogLevel
  readonly message: string
  readonly fields: LogFields
}

export function rememberingLog(): { readonly log: Log; readonly lines: readonly RememberedLine[] } {
  const lines: RememberedLine[] = []
  const at =
    (level: LogLevel) =>
    (message: string, fields: LogFields = {}): void => {
      lines.push({ level, message, fields })
    }
  return {
    lines,
    log: {
      error: at('error'),
      warn: at('warn'),
      info: at('info'),
      debug: at('debug'),
      verbatim: (level, message, fields) => at(level)(message, fields),
      isEnabled: () => true,
      setLevel: nothing,
    },
  }
}
