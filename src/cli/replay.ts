/**
 * `trackalert replay`: past reports through a configuration, from the command line. Main thread.
 */
import { resolve } from 'node:path'
import type { Alert } from '../alerts/alert.ts'
import { severityRank, type Severity } from '../alerts/severity.ts'
import { messageOf } from '../errors.ts'
import { compareAlerts } from '../replay/compare-alerts.ts'
import { judge } from '../replay/judgement.ts'
import { loadPolicy, type LoadOptions } from '../replay/load-policy.ts'
import { ReplayEngine } from '../replay/replay-engine.ts'
import { replayJson } from '../replay/replay-json.ts'
import type { ConfigurationOutcome, ReplayOutcome } from '../replay/replay-outcome.ts'
import { replayText } from '../replay/replay-text.ts'
import { replay } from '../replay/replay.ts'
import type { CommandLine } from './command-line.ts'
import { EXIT, type ExitStatus } from './exit-status.ts'
import { PacedOutput } from './paced-output.ts'
import { ProgressLine } from './progress-line.ts'
import { filesInput, historyInput, type ReplayInput } from './replay-input.ts'
import type { Surroundings } from './surroundings.ts'

interface ReplayDeps {
  /** The absolute path of a configuration, or of the default one. */
  readonly configFileOf: (given: string | undefined) => string
  readonly ownRegexesFile: string
}

type ReplayCommand = Extract<CommandLine, { readonly kind: 'replay' }>

interface Engine {
  /** The configuration's absolute path. */
  readonly file: string
  readonly engine: ReplayEngine
}

/** @returns 0 when every line was a report and every run ended well, 1 otherwise. */
export async function replayReports(
  command: ReplayCommand,
  around: Surroundings,
  deps: ReplayDeps,
): Promise<ExitStatus> {
  const { choice } = command
  const engines: Engine[] = []
  let input: ReplayInput | undefined
  try {
    const [first, ...others] = configFilesOf(command, deps)
    // Files are those of the folder where the command was given; each configuration then runs in a folder of its own.
    const regexesFile = command.regexesFile === undefined ? deps.ownRegexesFile : resolve(command.regexesFile)
    input =
      choice.files.length > 0
        ? filesInput(choice.files, around)
        : await historyInput({ configFile: first, control: command.control, around, nowMs: Date.now() })
    const { isOnline } = choice
    for (const configFile of [first, ...others])
      engines.push(await startEngine({ configFile, regexesFile, isOnline, hashSeed: input.hashSeed }, around))
    const outcome = await run(input, engines, { around, leastSeverity: choice.leastSeverity })
    const output = new PacedOutput(around.output)
    await output.write(choice.format === 'json' ? replayJson(outcome) : replayText(outcome, choice.examples))
    const complaint = output.complaint()
    if (complaint === undefined) return isWhole(outcome) ? EXIT.ok : EXIT.failed
    around.errors.write(`trackalert: ${complaint}\n`)
    return EXIT.failed
  } catch (error) {
    around.errors.write(`trackalert: ${messageOf(error)}\n`)
    return EXIT.failed
  } finally {
    await Promise.all(engines.map(({ engine }) => engine.stop()))
    await input?.close()
  }
}

function configFilesOf(
  { configFile, choice }: ReplayCommand,
  { configFileOf }: ReplayDeps,
): readonly [string, ...string[]] {
  const first = configFileOf(configFile)
  return choice.against === undefined ? [first] : [first, configFileOf(choice.against)]
}

async function startEngine(
  options: Omit<LoadOptions, 'environment'>,
  { environment, enterFolder }: Surroundings,
): Promise<Engine> {
  enterFolder(options.configFile)
  const setup = await loadPolicy({ ...options, environment })
  return { file: options.configFile, engine: await ReplayEngine.start(setup) }
}

interface RunOptions {
  readonly around: Surroundings
  readonly leastSeverity: Severity
}

async function run(
  { batches, traffic, badLines, share }: ReplayInput,
  engines: readonly Engine[],
  { around: { errors }, leastSeverity }: RunOptions,
): Promise<ReplayOutcome> {
  const progress = errors.isTTY === true ? new ProgressLine(errors, () => performance.now()) : undefined
  try {
    const result = await replay(
      batches,
      engines.map(({ engine }) => engine),
      (reports) => progress?.show(share(), reports),
    )
    const { runs, firstSeconds = 0, lastSeconds = 0 } = result
    const isWanted = ({ severity }: Alert): boolean => severityRank(severity) >= severityRank(leastSeverity)
    const configurations = engines.flatMap(({ file }, index): readonly ConfigurationOutcome[] => {
      const ran = runs[index]
      if (ran === undefined) return []
      const alerts = ran.end.alerts.filter(isWanted)
      const judgement = traffic.hasLabels
        ? judge(alerts, ran.evidence, traffic, lastSeconds - firstSeconds)
        : undefined
      return [{ file, end: { ...ran.end, alerts }, judgement }]
    })
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

/** Nothing was left out and nothing went wrong. */
function isWhole({ badLines, configurations }: ReplayOutcome): boolean {
  return badLines.count === 0 && configurations.every(({ end }) => end.failedRuns === 0)
}
