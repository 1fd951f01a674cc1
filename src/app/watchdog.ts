/**
 * Gives systemd a sign of life for as long as the server is alive, in all of its parts and not just as a process. Main
 * thread: an event loop that stands still gives none.
 */
import { messageOf } from '../errors.ts'
import type { Log } from '../telemetry/log.ts'

interface WatchdogDeps {
  readonly log: Log
  readonly isAlive: () => Promise<boolean>
  /** Gives the sign. Never rejects. */
  readonly tell: () => Promise<void>
}

/** Parts of the limit: between two signs, for the answer of isAlive, and until it is asked again after a no. */
const SIGN_SHARE = 1 / 2
const ANSWER_SHARE = 1 / 4
const RETRY_SHARE = 1 / 20

/**
 * Starts at once; the answer ends it.
 *
 * @param limitMs after so long without a sign systemd ends the process.
 */
export function startWatchdog({ log, isAlive, tell }: WatchdogDeps, limitMs: number): () => void {
  let wasAlive = true
  let isOver = false
  let timer: NodeJS.Timeout | undefined

  const round = async (): Promise<void> => {
    const silence = await whyNotAlive(isAlive, limitMs * ANSWER_SHARE)
    if (isOver) return
    if (silence === undefined) await tell()
    else if (wasAlive) log.error('the server is not alive; systemd gets no sign of life', { why: silence })
    wasAlive = silence === undefined
    // A worker that is being replaced right now must not cost half of the limit.
    timer = setTimeout(startRound, limitMs * (wasAlive ? SIGN_SHARE : RETRY_SHARE)).unref()
  }
  const startRound = (): void => {
    if (!isOver) void round()
  }
  startRound()
  return () => {
    isOver = true
    clearTimeout(timer)
  }
}

async function whyNotAlive(isAlive: () => Promise<boolean>, limitMs: number): Promise<string | undefined> {
  const late = Promise.withResolvers<string>()
  const timer = setTimeout(() => late.resolve(`no answer within ${Math.round(limitMs)} ms`), limitMs)
  try {
    const asked = isAlive().then((alive) => (alive ? undefined : 'a part of it does not run'))
    return await Promise.race([asked, late.promise])
  } catch (error) {
    return messageOf(error)
  } finally {
    clearTimeout(timer)
  }
}
