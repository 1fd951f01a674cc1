/**
 * Keeps a second server out of a state directory. Main thread. Node has no file locks, but LevelDB has: an empty database
 * of its own holds one, so that the lock is there while the store itself is checked, set aside or opened again. The system
 * releases it when the process ends, however it ends.
 */
import { chmodSync, mkdirSync, rmSync } from 'node:fs'
import { ClassicLevel } from 'classic-level'
import { TrackError } from '../../errors.ts'
import { storeError } from './database.ts'

/**
 * @returns a function that releases the lock.
 * @throws TrackError TRK_STORE_LOCKED when another server holds it.
 */
export async function lockDirectory(path: string): Promise<() => Promise<void>> {
  mkdirSync(path, { recursive: true, mode: 0o700 })
  chmodSync(path, 0o700)
  let level = new ClassicLevel(path)
  try {
    await level.open()
  } catch (error) {
    const known = storeError(error, path)
    if (known.code === 'TRK_STORE_LOCKED') {
      throw new TrackError(
        'TRK_STORE_LOCKED',
        `${path} is held by a running server; stop that one, or give this one a state directory of its own`,
        { cause: error },
      )
    }
    // There is nothing in it: a damaged lock is made anew.
    rmSync(path, { recursive: true, force: true })
    level = new ClassicLevel(path)
    await level.open()
  }
  return () => level.close()
}
