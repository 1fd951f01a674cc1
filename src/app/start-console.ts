/**
 * The console's part of the wiring: what lines may ask, where their effects go, and the control socket through which they
 * come. Main thread.
 */
import type { Configuration } from '../config/load-configuration.ts'
import type { LineAnswer } from '../config/configuration-thread.ts'
import { answerServerQuestion, type ServerAnswerDeps } from '../console/answer-question.ts'
import { createControlServer } from '../control/control-server.ts'
import type { Log } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { hashSeedOf } from './options-from-settings.ts'
import type { StartedPolicy } from './start-policy.ts'
import type { StopSequence } from './stop-sequence.ts'
import { createNoticeHandler } from './worker-notices.ts'

interface ConsoleParts extends Omit<ServerAnswerDeps, 'log'> {
  readonly configuration: Configuration
  readonly policy: StartedPolicy
  readonly log: Log
  readonly metrics: Metrics
  readonly stopping: StopSequence
  /** Unix milliseconds. */
  readonly now: () => number
  readonly onShutdownRequested: () => void
}

/** Runs a line of the console for the client at `peer`; never rejects, a failed line's answer begins with `Error: `. */
export type RunLine = (line: string, peer: string) => Promise<string>

/** Commands under way get this much of the time that is left at the stop; reports come after them. */
const STOP_SHARE = 0.25

/**
 * Lets lines run, and opens the control socket where the configuration has one.
 *
 * @returns runs a line for somebody who needs no socket
 * @throws TrackError TRK_LISTEN_FAILED when the socket cannot be opened.
 */
export async function startConsole(parts: ConsoleParts): Promise<RunLine> {
  const { configuration, log, stopping } = parts
  const run: RunLine = (line, peer) => runLine(parts, line, peer)
  connectThread(parts)
  // Before the store, from which a line may be reading.
  stopping.add('console', () => configuration.thread.stop())
  const { controlSocket, controlKey } = configuration.settings
  if (controlSocket === null) return run
  if (controlKey === null) {
    log.warn('controlSocket() needs a key: without setKey() the control socket is not opened')
    return run
  }
  const server = createControlServer(
    {
      runLine: run,
      log,
      now: parts.now,
      metrics: parts.metrics,
    },
    { ...controlSocket, key: new Uint8Array(Buffer.from(controlKey, 'base64')) },
  )
  const { host, port } = await server.start()
  stopping.add('control socket', (remainingMs) => server.stop(remainingMs * STOP_SHARE))
  log.info('the control socket is open', { host, port })
  return run
}

async function runLine(
  { configuration, metrics }: ConsoleParts,
  line: string,
  peer: string,
): Promise<string> {
  const { ok, text }: LineAnswer = await configuration.thread.runLine(line, peer)
  metrics.consoleLines.inc({ status: ok ? 'ok' : 'error' })
  return text
}

function connectThread(parts: ConsoleParts): void {
  const { configuration, policy, log } = parts
  configuration.thread.connect({
    log,
    openReader: policy.openReader,
    hashSeed: hashSeedOf(configuration.stateDirectory),
    answerStore: policy.answerStore,
    answerServer: (question) => answerServerQuestion(parts, question),
    async commit(effects) {
      const run = { name: 'console', reportId: undefined }
      return (await policy.committer.commit(run, { ok: true, effects, answer: undefined })) === 'committed'
    },
    runInPolicies: (line) => policy.pool.repeatConsoleLine(line),
    onNotice: createNoticeHandler(parts),
  })
}
