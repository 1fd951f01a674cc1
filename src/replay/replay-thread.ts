/**
 * Thread that replays: runs the policy of one configuration on the reports that it is sent, in memory.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { messageOf, TrackError } from '../errors.ts'
import {
  NO_REPORT,
  RUN_MARK,
  type FromReplayThread,
  type ReplayThreadSetup,
  type ToReplayThread,
} from './messages.ts'
import { ReplayRuns } from './replay-runs.ts'
import { createReplayState } from './replay-state.ts'

async function main(): Promise<void> {
  const port = parentPort
  if (port === null)
    throw new Error('replay-thread.ts is a thread of the command and cannot be started by itself')
  const post = (message: FromReplayThread): void => port.postMessage(message)
  const fail = (error: unknown): void => {
    const known = error instanceof TrackError ? error : new TrackError('TRK_CONFIG_INVALID', messageOf(error))
    post({ type: 'failed', error: known.toWire() })
  }
  try {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the main thread sends nothing else
    const { setup, runMarks } = workerData as ReplayThreadSetup
    const onRun = (reportId: number | undefined): void => {
      Atomics.store(runMarks, RUN_MARK.reportId, reportId === undefined ? NO_REPORT : BigInt(reportId))
      Atomics.add(runMarks, RUN_MARK.runs, 1n)
    }
    const runs = new ReplayRuns(await createReplayState(setup), setup.schedules, onRun)
    /** Batches run one after another, also where a run waits. */
    let last: Promise<void> = Promise.resolve()
    const take = async (message: ToReplayThread): Promise<void> => {
      if (message.type === 'end') post({ type: 'ended', end: runs.end() })
      else post({ type: 'ran', raised: await runs.run(message.batch) })
    }
    port.on('message', (message: ToReplayThread) => {
      last = last.then(() => take(message)).catch(fail)
    })
    post({ type: 'ready' })
  } catch (error) {
    fail(error)
  }
}

void main()
