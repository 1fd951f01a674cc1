/**
 * What every run of the configuration file has in common, for settings or for a look. Lives on the thread that runs it.
 */
import { readFileSync } from 'node:fs'
import { messageOf, TrackError } from '../errors.ts'

/** Longer than a policy may take: the file may read lists of thousands of netmasks. */
export const CONFIG_LIMITS = { cpuMs: 20_000, wallMs: 50_000 } as const

/** @throws TrackError TRK_CONFIG_INVALID when the file cannot be read. */
export function readConfigSource(configFile: string): Uint8Array {
  try {
    return readFileSync(configFile)
  } catch (error) {
    const isNotThere = error instanceof Error && 'code' in error && error.code === 'ENOENT'
    const advice = isNotThere ? '; -C FILE names another' : ''
    throw new TrackError('TRK_CONFIG_INVALID', `the file cannot be read: ${messageOf(error)}${advice}`, {
      cause: error,
    })
  }
}

/** @throws TrackError TRK_CONFIG_INVALID: while the file runs there is no data. */
export function onlyInRuns(): never {
  throw new TrackError(
    'TRK_CONFIG_INVALID',
    'stored data can only be used by report, background and endpoint functions',
  )
}
