/**
 * A disk of a few megabytes, to be filled.
 */
import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { atEnd } from './clean-up.ts'

/** Mounts one for a test; undefined, and the test is skipped, where this user cannot. */
export async function smallDisk(t: TestContext, sizeMib: number): Promise<string | undefined> {
  const folder = await mkdtemp(join(tmpdir(), 'trackalert-disk-'))
  atEnd(t, () => rm(folder, { recursive: true, force: true }))
  const directory = join(folder, 'disk')
  await mkdir(directory)
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeMib}m`, 'tmpfs', directory], { stdio: 'ignore' })
  } catch {
    t.skip('only root can mount a small disk')
    return undefined
  }
  // Whoever still uses it keeps it for so long.
  atEnd(t, () => execFileSync('umount', ['-l', directory]))
  return directory
}
