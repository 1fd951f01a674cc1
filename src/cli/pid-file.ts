/**
 * The file that holds the server's process id, for service managers and for `kill`. Main thread.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { messageOf, TrackError } from '../errors.ts'

/**
 * Writes the file; one that a process left behind which is gone is replaced.
 *
 * @returns removes it again, if it is still ours
 * @throws TrackError TRK_PID_FILE when it cannot be written or belongs to a process that runs.
 */
export function writePidFile(path: string, pid: number): () => void {
  const owner = pidIn(path)
  if (owner !== undefined && owner !== pid && isRunning(owner)) {
    throw new TrackError(
      'TRK_PID_FILE',
      `${path} belongs to process ${owner}, which runs; stop it, or remove the file if that is no trackalert`,
    )
  }
  try {
    rmSync(path, { force: true })
    // Not through a link that somebody put there meanwhile.
    writeFileSync(path, `${pid}\n`, { flag: 'wx', mode: 0o644 })
  } catch (error) {
    throw new TrackError('TRK_PID_FILE', `${path}: ${messageOf(error)}`, { cause: error })
  }
  return () => {
    if (pidIn(path) === pid) rmSync(path, { force: true })
  }
}

function pidIn(path: string): number | undefined {
  try {
    const text = readFileSync(path, 'utf8').trim()
    return /^\d{1,10}$/.test(text) ? Number(text) : undefined
  } catch {
    return undefined
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // It runs for another user.
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
