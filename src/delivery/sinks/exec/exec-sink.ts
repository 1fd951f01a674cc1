/**
 * Alert sinks of the type exec: their keys. Pure.
 */
import { isAbsolute } from 'node:path'
import type { Parsed, SinkKeys } from '../sink-keys.ts'
import type { SinkBasics } from '../sink-port.ts'

export interface ExecSink extends SinkBasics {
  readonly type: 'exec'
  /** Program and arguments; no shell sees them. */
  readonly argv: readonly [string, ...string[]]
  readonly folder: string
  /** Numbers; undefined keeps the server's own. */
  readonly uid: number | undefined
  readonly gid: number | undefined
  readonly concurrency: number
  /** What an exit status other than 0 and 75 means. */
  readonly onFailure: 'retry' | 'give-up'
}

const MAX_ID = 2 ** 32 - 2

export function parseExecSink(name: string, keys: SinkKeys): Parsed<ExecSink> {
  const [program = '', ...others] = keys.list('argv') ?? []
  if (program === '') keys.problem('the key argv is missing')
  // A bare name would be looked for in PATH, a relative one in a folder that changes.
  else if (!isAbsolute(program)) keys.problem('argv must begin with the absolute path of a program')
  if (others.some((argument) => argument.includes('\0')))
    keys.problem('argv must not contain the character 0')
  const folder = keys.text('folder') ?? '/'
  if (!isAbsolute(folder)) keys.problem('folder must be an absolute path')
  const uid = optionalId(keys, 'uid')
  const gid = optionalId(keys, 'gid')
  if (uid !== undefined && gid === undefined) keys.problem("uid needs gid: the group would stay the server's")
  const timeoutMs = 1000 * keys.number('timeout', { preset: 30, min: 1, max: 3600, unit: 'seconds' })
  const concurrency = keys.number('concurrency', { preset: 1, min: 1, max: 100, unit: 'processes' })
  const onFailure = keys.choice('onFailure', ['retry', 'give-up'], 'retry')
  const definition = {
    type: 'exec',
    name,
    place: program,
    timeoutMs,
    argv: [program, ...others],
    folder,
    uid,
    gid,
    concurrency,
    onFailure,
  } as const
  return keys.done<ExecSink>(name, definition)
}

function optionalId(keys: SinkKeys, key: string): number | undefined {
  if (!keys.has(key)) return undefined
  return keys.number(key, { preset: 0, min: 0, max: MAX_ID, unit: 'the system' })
}
