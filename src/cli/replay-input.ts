/**
 * Where the reports of a replay come from: files, standard input, or what a server has kept. Main thread of the command.
 */
import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { storedHashSeed } from '../app/options-from-settings.ts'
import { inspectConfiguration } from '../config/inspect-configuration.ts'
import type { ReplayReport } from '../replay/replay.ts'
import { fileSource, type LineSource } from '../replay/report-lines.ts'
import { BadLines, reportsOfFiles } from '../replay/reports-of-files.ts'
import { openHistory, reportsOfServer, reportsOfStore } from '../replay/reports-of-history.ts'
import { Traffic } from '../replay/traffic.ts'
import { HASH_SEED_BYTES } from '../trends/item-hash.ts'
import type { ControlChoice } from './command-line.ts'
import { ControlSession } from './control-session.ts'
import { findControlTarget } from './control-target.ts'
import type { Surroundings } from './surroundings.ts'

export interface ReplayInput {
  readonly batches: AsyncIterable<readonly ReplayReport[]>
  readonly traffic: Traffic
  readonly badLines: BadLines
  /** 0 to 1; undefined when nobody knows how much there is. */
  readonly share: () => number | undefined
  /** With which trends hash items. */
  readonly hashSeed: Uint8Array
  readonly close: () => Promise<void>
}

/** Of files: the same everywhere, so that a file gives the same alerts everywhere. */
const FILES_SEED = new Uint8Array(HASH_SEED_BYTES)

/** Paths are those of the working directory of this moment. `-` is standard input. */
export function filesInput(files: readonly string[], around: Surroundings): ReplayInput {
  const paths = files.map((file) => (file === '-' ? undefined : resolve(file)))
  const sources = files.map((file, index): LineSource => {
    const path = paths[index]
    return path === undefined
      ? { name: 'standard input', open: () => around.input }
      : { ...fileSource(path), name: file }
  })
  const totalBytes = paths.reduce((sum, path) => sum + (path === undefined ? Number.NaN : sizeOf(path)), 0)
  let readBytes = 0
  const traffic = new Traffic()
  const badLines = new BadLines()
  const batches = reportsOfFiles(sources, { traffic, badLines, onBytes: (count) => (readBytes += count) })
  return {
    batches,
    traffic,
    badLines,
    share: () => (totalBytes > 0 ? readBytes / totalBytes : undefined),
    hashSeed: FILES_SEED,
    close: () => Promise.resolve(),
  }
}

/** What cannot be read says so when it is opened. */
function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}

interface HistoryDeps {
  /** Absolute path of the configuration whose server has kept the reports. */
  readonly configFile: string
  readonly control: ControlChoice
  readonly around: Surroundings
  /** Unix milliseconds. */
  readonly nowMs: number
}

/**
 * The history of the configuration's server: from the state directory when nobody uses it, else from the server over its
 * control socket.
 *
 * @throws TrackError TRK_REPLAY_INPUT, TRK_STORE_*, TRK_CONTROL_*, TRK_CONFIG_*
 */
export async function historyInput({
  configFile,
  control,
  around,
  nowMs,
}: HistoryDeps): Promise<ReplayInput> {
  const { environment, enterFolder } = around
  const givenIn = resolve('.')
  enterFolder(configFile)
  const inspection = await inspectConfiguration({
    mode: 'client',
    configFile,
    stateDirectoryFromEnvironment: environment['STATE_DIRECTORY'],
    environment,
  })
  const { stateDirectory } = inspection
  const badLines = new BadLines()
  const shared = {
    traffic: new Traffic(),
    badLines,
    share: () => undefined,
    hashSeed: storedHashSeed(stateDirectory) ?? FILES_SEED,
  }
  const store = await openHistory(stateDirectory, nowMs)
  if (store !== undefined) {
    const total = Math.max(1, store.counts().historyReports)
    let count = 0
    return {
      ...shared,
      batches: counted(reportsOfStore(store), (reports) => (count += reports)),
      share: () => count / total,
      close: () => store.close(),
    }
  }
  const inspect = () => Promise.resolve(inspection)
  const target = await findControlTarget(control, { environment, inspect, givenIn })
  const session = new ControlSession(target, () => undefined)
  return {
    ...shared,
    batches: reportsOfServer((line) => session.run(line), badLines),
    close: () => Promise.resolve(session.close()),
  }
}

async function* counted(
  batches: AsyncIterable<readonly ReplayReport[]>,
  onReports: (count: number) => void,
): AsyncGenerator<readonly ReplayReport[], void, undefined> {
  for await (const batch of batches) {
    onReports(batch.length)
    yield batch
  }
}
