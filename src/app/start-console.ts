/**
 * The console's part of the wiring: what lines may ask, where their effects go, and the control socket through which they
 * come. Main thread.
 */
import type { Configuration } from '../config/load-configuration.ts'
import type { ConfigurationThread, ConsoleServer } from '../config/configuration-thread.ts'
import { answerServerQuestion, type ServerAnswerDeps } from '../console/answer-question.ts'
import { createControlServer } from '../control/control-server.ts'
import type { Log } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { hashSeedOf } from './options-from-settings.ts'
import type { StartedPolicy } from './start-policy.ts'
import type { StopSequence } from './stop-sequence.ts'
import { createNoticeHandler } from './worker-notices.ts'

interface ConsoleParts extends Omit<ServerAnswerDeps, 'log'> {
  /** In force; a reload replaces it. */
  readonly configuration: () => Configuration
  readonly policy: StartedPolicy
  readonly log: Log
  readonly metrics: Metrics
  readonly stopping: StopSequence
  /** Unix milliseconds. */
  readonly now: () => number
  readonly onShutdownRequested: () => void
}

/** Commands under way get this much of the time that is left at the stop; reports come after them. */
const STOP_SHARE = 0.25

/**
 * Lets lines run, and opens the control socket where the configuration has one. The answer connects the thread of another
 * configuration, which lines go to once that is in force.
 *
 * @throws TrackError TRK_LISTEN_FAILED when the socket cannot be opened.
 */
export async function startConsole(parts: ConsoleParts): Promise<(thread: ConfigurationThread) => void> {
  const connect = (thread: ConfigurationThread): void => thread.connect(consoleServer(parts))
  connect(parts.configuration().thread)
  // Before the store, from which a line may be reading.
  parts.stopping.add('console', () => parts.configuration().thread.stop())
  await openControlSocket(parts)
  return connect
}

async function openControlSocket(parts: ConsoleParts): Promise<void> {
  const { log, stopping } = parts
  const { controlSocket, controlKey } = parts.configuration().settings
  if (controlSocket === null) return
  if (controlKey === null) {
    log.warn('controlSocket() needs a key: without setKey() the control socket is not opened')
    return
  }
  const server = createControlServer(
    {
      runLine: (line, peer) => runLine(parts, line, peer),
      log,
      now: parts.now,
      metrics: parts.metrics,
    },
    { ...controlSocket, key: new Uint8Array(Buffer.from(controlKey, 'base64')) },
  )
  const { host, port } = await server.start()
  stopping.add('control socket', (remainingMs) => server.stop(remainingMs * STOP_SHARE))
  log.info('the control socket is open', { host, port })
}

async function runLine(
  { configuration, metrics, log }: ConsoleParts,
  line: string,
  peer: string,
): Promise<string> {
  const { ok, text } = await configuration().thread.runLine(line, peer)
  const status = ok ? 'ok' : 'error'
  metrics.consoleLines.inc({ status })
  // Not the line itself: it may hold what is no business of the log.
  log.debug('a line of the console has ended', { peer, status })
  return text
}

function consoleServer(parts: ConsoleParts): ConsoleServer {
  const { configuration, policy, log } = parts
  return {
    log,
    openReader: policy.openReader,
    hashSeed: hashSeedOf(configuration().stateDirectory),
    answerStore: policy.answerStore,
    answerServer: (question) => answerServerQuestion(parts, question),
    async commit(effects) {
      const run = { name: 'console', reportId: undefined }
      return (await policy.committer.commit(run, { ok: true, effects, answer: undefined })) === 'committed'
    },
    runInPolicies: (line) => policy.pool.repeatConsoleLine(line),
    onNotice: createNoticeHandler(parts),
  }
}
