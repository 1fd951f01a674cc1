/**
 * The one message of a thread that runs the configuration file. Main thread.
 */
import type { Worker } from 'node:worker_threads'
import { messageOf, TrackError } from '../errors.ts'

/** A configuration may look things up while it loads; more than this is a mistake in it. */
const LOAD_DEADLINE_MS = 60_000

/** @throws TrackError TRK_CONFIG_TIMEOUT or TRK_CONFIG_INVALID when the thread ends, or takes too long, without one. */
export function firstMessage<Message>(worker: Worker, configFile: string): Promise<Message> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(
        new TrackError('TRK_CONFIG_TIMEOUT', `${configFile} still runs after ${LOAD_DEADLINE_MS / 1000} s`),
      )
    }, LOAD_DEADLINE_MS)
    worker.once('message', (message: Message) => {
      clearTimeout(timer)
      resolve(message)
    })
    worker.once('error', (error) => {
      clearTimeout(timer)
      reject(new TrackError('TRK_CONFIG_INVALID', `${configFile}: ${messageOf(error)}`, { cause: error }))
    })
    worker.once('exit', () => {
      clearTimeout(timer)
      reject(new TrackError('TRK_CONFIG_INVALID', `${configFile} ended the configuration thread`))
    })
  })
}
