/**
 * The message in which a thread that runs the configuration file says what came of it. Main thread.
 */
import type { Worker } from 'node:worker_threads'
import { messageOf, TrackError } from '../errors.ts'

/** A configuration may look things up while it loads; more than this is a mistake in it. */
const LOAD_DEADLINE_MS = 60_000

/**
 * The first message that is wanted; others are left out.
 *
 * @throws TrackError TRK_CONFIG_TIMEOUT or TRK_CONFIG_INVALID when the thread ends, or takes too long, without one.
 */
export async function firstMessage<Message, Wanted extends Message>(
  worker: Worker,
  configFile: string,
  isWanted: (message: Message) => message is Wanted,
): Promise<Wanted> {
  const { promise, resolve, reject } = Promise.withResolvers<Wanted>()
  const invalid = (why: string, cause?: unknown): void =>
    reject(new TrackError('TRK_CONFIG_INVALID', `${configFile}${why}`, { cause }))
  const onMessage = (message: Message): void => {
    if (isWanted(message)) resolve(message)
  }
  const onError = (error: Error): void => invalid(`: ${messageOf(error)}`, error)
  const onExit = (): void => invalid(' ended the configuration thread')
  const timer = setTimeout(() => {
    reject(
      new TrackError('TRK_CONFIG_TIMEOUT', `${configFile} still runs after ${LOAD_DEADLINE_MS / 1000} s`),
    )
  }, LOAD_DEADLINE_MS)
  worker.on('message', onMessage).on('error', onError).on('exit', onExit)
  try {
    return await promise
  } finally {
    clearTimeout(timer)
    worker.off('message', onMessage).off('error', onError).off('exit', onExit)
  }
}
