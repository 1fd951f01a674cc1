/**
 * The state directory and the secrets in it. Used on the configuration thread, while the configuration file runs, and
 * on policy workers, which read the same secrets again.
 */
import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { messageOf, TrackError } from '../errors.ts'

/** 32 bytes: as much as the keys that it stands in for. */
const SECRET_BYTES = 32
const SECRET_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/

/**
 * Where state is kept: what the configuration says, else what systemd gives, else `state` beside the configuration file.
 */
export function stateDirectoryPath(choice: {
  readonly configured: string | undefined
  readonly fromEnvironment: string | undefined
  readonly configFile: string
}): string {
  const folder = dirname(choice.configFile)
  if (choice.configured !== undefined) return resolve(folder, choice.configured)
  // systemd separates several directories by a colon; the first is ours.
  const given = choice.fromEnvironment?.split(':')[0]
  return given === undefined || given === '' ? join(folder, 'state') : resolve(folder, given)
}

/**
 * Creates the directory (mode 0700) where it is missing.
 *
 * @throws TrackError TRK_STATE_DIRECTORY when it cannot be made or is no directory.
 */
function prepareStateDirectory(path: string): void {
  try {
    const made = mkdirSync(path, { recursive: true, mode: 0o700 })
    // mkdir's mode is cut by the umask and an existing directory keeps its own; only a new one is set right.
    if (made !== undefined) chmodSync(path, 0o700)
    if (!statSync(path).isDirectory()) throw new Error('it is not a directory')
  } catch (error) {
    throw new TrackError(
      'TRK_STATE_DIRECTORY',
      `${path}: ${messageOf(error)}; make it writable for the server's user, or choose another with setStateDirectory()`,
      { cause: error },
    )
  }
}

/** A secret of the state directory. */
export interface StoredSecret {
  readonly text: string
  readonly file: string
  /** True when this call made it. */
  readonly isNew: boolean
}

/**
 * The content of `secrets/NAME` in the state directory, without the line end; made at random (mode 0600) the first time.
 *
 * @throws TrackError TRK_STATE_DIRECTORY when the name or the file cannot be used.
 */
export function readOrMakeSecret(stateDirectory: string, name: string): StoredSecret {
  const file = secretFile(stateDirectory, name)
  prepareStateDirectory(stateDirectory)
  prepareStateDirectory(dirname(file))
  const isNew = makeSecretFile(file)
  return { text: secretIn(file), file, isNew }
}

/** A secret, or why there is none for whoever asks. */
export type FoundSecret =
  | { readonly text: string }
  /** `why` is a sentence that names the file, without an end. */
  | { readonly text: undefined; readonly why: string }

/**
 * As `readOrMakeSecret`, but a secret that is not there yet is not made.
 *
 * @throws TrackError TRK_STATE_DIRECTORY when the name or the file cannot be used.
 */
export function readSecret(stateDirectory: string, name: string): FoundSecret {
  const file = secretFile(stateDirectory, name)
  const look = lookFor(file)
  if (look.isThere) return { text: secretIn(file) }
  return {
    text: undefined,
    why: look.why ?? `there is no ${file} yet; the server makes it at its first start`,
  }
}

interface Look {
  readonly isThere: boolean
  /** Why nobody can tell; a sentence without an end. */
  readonly why?: string
}

/** Whether a file of the state directory is there; who is not the server's user may not be let in. */
export function lookFor(file: string): Look {
  try {
    return { isThere: statSync(file, { throwIfNoEntry: false }) !== undefined }
  } catch (error) {
    return {
      isThere: false,
      why: `${file} cannot be read: ${messageOf(error)}; run the command as the server's user`,
    }
  }
}

function secretFile(stateDirectory: string, name: string): string {
  if (SECRET_NAME.test(name)) return join(stateDirectory, 'secrets', name)
  throw new TrackError(
    'TRK_STATE_DIRECTORY',
    `${JSON.stringify(name)} is no name for a secret; use up to 64 letters, digits, dots, dashes and underscores`,
  )
}

function secretIn(file: string): string {
  try {
    const text = readFileSync(file, 'utf8').replace(/\r?\n$/, '')
    if (text === '')
      throw new Error('the file is empty; write a secret into it, or delete it to get a random one')
    return text
  } catch (error) {
    throw new TrackError('TRK_STATE_DIRECTORY', `${file}: ${messageOf(error)}`, { cause: error })
  }
}

/** Writes a random secret unless the file is there: `wx` lets only one of several threads or servers make it. */
function makeSecretFile(file: string): boolean {
  try {
    writeFileSync(file, `${randomBytes(SECRET_BYTES).toString('base64url')}\n`, { flag: 'wx', mode: 0o600 })
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw new TrackError('TRK_STATE_DIRECTORY', `${file}: ${messageOf(error)}`, { cause: error })
  }
}
