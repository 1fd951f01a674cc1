/** A thread that says what it was told to work with, and which one it is; told `fail`, it fails. */
import { parentPort, threadId } from 'node:worker_threads'
import { threadSetup } from '../../src/thread-starter.ts'

export interface LateThreadAnswer {
  readonly setup: unknown
  readonly threadId: number
}

const setup = await threadSetup<unknown>()
if (setup === 'fail') throw new Error('it was told to')
parentPort?.postMessage({ setup, threadId } satisfies LateThreadAnswer)
