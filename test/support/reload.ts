/**
 * Has a running server load its configuration again, by file and signal as an operator does.
 */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { eventually } from './ask-server.ts'
import type { ServerProcess } from './server-process.ts'

const OUTCOME =
  /the configuration was loaded again: |the configuration could not be loaded again; the one in force stays: reason="((?:[^"\\]|\\.)*)"/g

/** Why each reload so far was refused; undefined for one that was taken over. */
export function reloadOutcomes(server: ServerProcess): readonly (string | undefined)[] {
  return Array.from(server.output.matchAll(OUTCOME), (match) => match[1])
}

/** Writes the configuration, sends SIGHUP and waits for what comes of it: undefined, or why it was refused. */
export async function reload(server: ServerProcess, configuration: string): Promise<string | undefined> {
  await writeFile(join(server.folder, 'trackalert.conf'), configuration)
  const before = reloadOutcomes(server).length
  server.child.kill('SIGHUP')
  await eventually(`the reload has no outcome:\n${server.output.slice(-2000)}`, () => {
    return reloadOutcomes(server).length > before
  })
  return reloadOutcomes(server)[before]
}
