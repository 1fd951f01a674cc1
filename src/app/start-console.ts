/**
 * The console's part of the wiring: what lines may ask, where their effects go, and the control socket through which they
 * come. Main thread.
 */
import type { Configuration } from '../config/load-configuration.ts'
import { answerServerQuestion, type ServerAnswerDeps } from '../console/answer-question.ts'
import type { EmitEvent } from '../events/server-events.ts'
import type { Log } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { ControlSocket, type PreparedSocket } from './control-socket.ts'
import type { InForce } from './in-force.ts'
import { hashSeedOf } from './options-from-settings.ts'
import type { Policy } from './start-policy.ts'
import type { StopSequence } from './stop-sequence.ts'
import { createNoticeHandler } from './worker-notices.ts'

interface ConsoleParts extends Omit<ServerAnswerDeps, 'log'> {
  readonly inForce: InForce
  readonly policy: Policy
  readonly log: Log
  readonly metrics: Metrics
  readonly emit: EmitEvent
  readonly stopping: StopSequence
  /** Unix milliseconds. */
  readonly now: () => number
  readonly onShutdownRequested: () => void
}

export interface Console {
  /**
   * Lets lines run, and opens the control socket where the configuration has one.
   *
   * @throws TrackError TRK_LISTEN_FAILED when the socket cannot be opened.
   */
  readonly start: () => Promise<void>
  /**
   * Gets ready to run lines in another configuration's thread, and to take them at its address.
   *
   * @throws TrackError TRK_LISTEN_FAILED when the socket cannot be opened.
   */
  readonly prepare: (next: Configuration) => Promise<PreparedSocket>
}

/** Commands under way get this much of the time that is left at the stop; reports come after them. */
const STOP_SHARE = 0.25

export function createConsole(parts: ConsoleParts): Console {
  const { inForce, log, metrics, emit, stopping, now } = parts
  const socket = new ControlSocket({
    async runLine(line, peer) {
      const { ok, text } = await inForce.configuration.thread.runLine(line, peer)
      const status = ok ? 'ok' : 'error'
      metrics.consoleLines.inc({ status })
      // Not the line itself: it may hold what is no business of the log.
      log.debug('a line of the console has ended', { peer, status })
      return text
    },
    log,
    now,
    metrics,
    onLogin: (peer) => emit('control-login', peer, `from ${peer}`),
    onRefused: (reason, peer) => emit('control-refused', peer, `${reason}, from ${peer}`),
  })
  const prepare = async (next: Configuration): Promise<PreparedSocket> => {
    const prepared = await socket.prepare(next.settings)
    return {
      cancel: prepared.cancel,
      apply() {
        connectThread(parts, next)
        prepared.apply()
      },
    }
  }
  return {
    prepare,
    async start() {
      const prepared = await prepare(inForce.configuration)
      prepared.apply()
      // Before the store, from which a line may be reading.
      stopping.add('console', () => inForce.configuration.thread.stop())
      stopping.add('control socket', (remainingMs) => socket.stop(remainingMs * STOP_SHARE))
    },
  }
}

function connectThread(parts: ConsoleParts, { thread, stateDirectory }: Configuration): void {
  const { policy, log } = parts
  thread.connect({
    log,
    openReader: policy.openReader,
    hashSeed: hashSeedOf(stateDirectory),
    answerStore: policy.answerStore,
    answerServer: (question) => answerServerQuestion(parts, question),
    async commit(effects) {
      const run = { name: 'console', reportId: undefined }
      return (await policy.committer.commit(run, { ok: true, effects, answer: undefined })) === 'committed'
    },
    runInPolicies: (line) => policy.runs.pool.repeatConsoleLine(line),
    onNotice: createNoticeHandler(parts),
  })
}
