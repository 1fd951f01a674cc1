/**
 * The server itself, seen from Lua: secrets, the stop, durations.
 */
import { readOrMakeSecret } from '../../config/state-directory.ts'
import type { SettingsCollector } from '../../config/settings-collector.ts'
import { parseDuration } from '../../schedule/interval.ts'
import type { HostFunction } from '../host-function.ts'

interface ProcessDeps {
  readonly settings: SettingsCollector
  /** Where secrets are, given what the configuration has said so far. */
  readonly stateDirectory: () => string
  readonly shutdown: () => void
}

export function processFunctions({
  settings,
  stateDirectory,
  shutdown,
}: ProcessDeps): readonly HostFunction[] {
  return [
    {
      name: 'secret',
      usage: 'secret(name)',
      summary: 'The content of secrets/NAME in the state directory, made at random the first time.',
      scope: 'registration',
      run(call) {
        settings.stateDirectoryIsUsed = true
        const secret = readOrMakeSecret(stateDirectory(), call.string(1, 'name'))
        if (secret.isNew) settings.notice(`a new random secret was made and written to ${secret.file}`)
        return secret.text
      },
    },
    {
      name: 'durationToSeconds',
      usage: 'durationToSeconds(duration)',
      summary: 'Seconds of a duration written h[h][:mm][:ss].',
      scope: 'anywhere',
      run(call) {
        const text = call.string(1, 'duration')
        return (
          parseDuration(text) ?? call.fail(`${JSON.stringify(text)} is no duration; write h[h][:mm][:ss]`)
        )
      },
    },
    {
      name: 'shutdown',
      usage: 'shutdown()',
      summary: 'Stops the server cleanly.',
      scope: 'anywhere',
      isImmediate: true,
      run(call) {
        if (call.run === undefined)
          return call.fail('shutdown() cannot be called while the configuration is read')
        shutdown()
      },
    },
  ]
}
