/**
 * `trackalert replay`: past reports through a configuration, from the command line. Main thread.
 */
import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { messageOf } from '../errors.ts'
import { compareAlerts } from '../replay/compare-alerts.ts'
import { judge } from '../replay/judgement.ts'
import { loadPolicy } from '../replay/load-policy.ts'
import { ReplayEngine } from '../replay/replay-engine.ts'
import { replayJson } from '../replay/replay-json.ts'
import type { ConfigurationOutcome, ReplayOutcome } from '../replay/replay-outcome.ts'
import { replayText } from '../replay/replay-text.ts'
import { replay, type ReplayReport, type ReplayResult } from '../replay/replay.ts'
import { fileSource, type LineSource } from '../replay/report-lines.ts'
import { BadLines, reportsOfFiles } from '../replay/reports-of-files.ts'
import { Traffic } from '../replay/traffic.ts'
import { HASH_SEED_BYTES } from '../trends/item-hash.ts'
import type { CommandLine } from './command-line.ts'
import { EXIT, type ExitStatus } from './exit-status.ts'
import { PacedOutput } from './paced-output.ts'
import { ProgressLine } from './progress-line.ts'
import type { Surroundings } from './surroundings.ts'

interface ReplayDeps {
  /** The absolute path of a configuration, or of the default one. */
  readonly configFileOf: (given: string | undefined) => string
  readonly ownRegexesFile: string
}

type ReplayCommand = Extract<CommandLine, { readonly kind: 'replay' }>

interface Engine {
  /** The configuration, as it is printed. */
  readonly file: string
  readonly engine: ReplayEngine
}

/** Where the reports come from. */
interface Input {
  readonly batches: AsyncIterable<readonly ReplayReport[]>
  readonly traffic: Traffic
  readonly badLines: BadLines
  /** 0 to 1; undefined when nobody knows how much there is. */
  readonly share: () => number | undefined
}

/** @returns 0 when every line was a report and every run ended well, 1 otherwise. */
export async function replayReports(
  command: ReplayCommand,
  around: Surroundings,
  deps: ReplayDeps,
): Promise<ExitStatus> {
  const { choice } = command
  const engines: Engine[] = []
  try {
    // Files are those of the folder where the command was given; each configuration then runs in a folder of its own.
    const input = filesInput(choice.files, around)
    for (const file of configFilesOf(command, deps)) engines.push(await startEngine(file, command, around, deps))
    const outcome = await run(input, engines, around)
    const output = new PacedOutput(around.output)
    await output.write(choice.format === 'json' ? replayJson(outcome) : replayText(outcome, choice.examples))
    if (output.failure !== undefined && !output.hasLostReader) throw output.failure
    return isWhole(outcome) ? EXIT.ok : EXIT.failed
  } catch (error) {
    around.errors.write(`trackalert: ${messageOf(error)}\n`)
    return EXIT.failed
  } finally {
    await Promise.all(engines.map(({ engine }) => engine.stop()))
  }
}

function configFilesOf({ configFile, choice }: ReplayCommand, { configFileOf }: ReplayDeps): readonly string[] {
  const first = configFileOf(configFile)
  return choice.against === undefined ? [first] : [first, configFileOf(choice.against)]
}

async function startEngine(
  configFile: string,
  { regexesFile, choice }: ReplayCommand,
  { environment, enterFolder }: Surroundings,
  { ownRegexesFile }: ReplayDeps,
): Promise<Engine> {
  const absoluteRegexesFile = regexesFile === undefined ? ownRegexesFile : resolve(regexesFile)
  enterFolder(configFile)
  const { setup } = await loadPolicy({
    configFile,
    regexesFile: absoluteRegexesFile,
    environment,
    isOnline: choice.isOnline,
    hashSeedOf: () => new Uint8Array(HASH_SEED_BYTES),
  })
  return { file: configFile, engine: await ReplayEngine.start(setup) }
}

function filesInput(files: readonly string[], around: Surroundings): Input {
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
  }
}

/** What cannot be read says so when it is opened. */
function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}

async function run(
  { batches, traffic, badLines, share }: Input,
  engines: readonly Engine[],
  { errors }: Surroundings,
): Promise<ReplayOutcome> {
  const progress = errors.isTTY === true ? new ProgressLine(errors, () => performance.now()) : undefined
  try {
    const result = await replay(
      batches,
      engines.map(({ engine }) => engine),
      (reports) => progress?.show(share(), reports),
    )
    const configurations = engines.flatMap(({ file }, index) => outcomeOf(file, index, result, traffic))
    const [first, second] = configurations
    const difference =
      first === undefined || second === undefined
        ? undefined
        : compareAlerts(first.end.alerts, second.end.alerts)
    return { ...result, badLines, configurations, difference }
  } finally {
    progress?.clear()
  }
}

function outcomeOf(
  file: string,
  index: number,
  { runs, firstSeconds = 0, lastSeconds = 0 }: ReplayResult,
  traffic: Traffic,
): readonly ConfigurationOutcome[] {
  const ran = runs[index]
  if (ran === undefined) return []
  const { end, evidence } = ran
  const judgement = traffic.hasLabels
    ? judge(end.alerts, evidence, traffic, lastSeconds - firstSeconds)
    : undefined
  return [{ file, end, judgement }]
}

/** Nothing was left out and nothing went wrong. */
function isWhole({ badLines, configurations }: ReplayOutcome): boolean {
  return badLines.count === 0 && configurations.every(({ end }) => end.failedRuns === 0)
}
