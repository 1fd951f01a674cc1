/**
 * A policy worker: builds its Lua state, then runs what the main thread sends and answers with the results.
 */
import { parentPort } from 'node:worker_threads'
import { messageOf, TrackError } from '../errors.ts'
import { openTrendReader } from '../store/embedded/trend-reader.ts'
import { lowerPolicyThread } from '../thread-priorities.ts'
import { threadSetup } from '../thread-starter.ts'
import { JobRunner } from './job-runner.ts'
import { LogLines } from './log-lines.ts'
import type { FromWorker, Job, ToWorker, WorkerData } from './messages.ts'
import { unpackJobs } from './packed-jobs.ts'
import { createPolicyState } from './policy-state.ts'
import { QuestionChannel } from './question-channel.ts'
import type { StoreAnswer, StoreQuestion } from './store-questions.ts'
import { repeatConsoleLine } from './repeat-console-line.ts'
import { ResultBatch } from './result-batch.ts'
import { WorkerTrends } from './worker-trends.ts'

async function main(): Promise<void> {
  const port = parentPort
  if (port === null)
    throw new Error('worker-thread.ts is a thread of the server and cannot be started by itself')
  const post = (message: FromWorker): void => port.postMessage(message)
  try {
    const { setup, reader } = await threadSetup<WorkerData>()
    const questions = new QuestionChannel<StoreQuestion, StoreAnswer>((id, question) =>
      post({ type: 'question', id, question }),
    )
    const trends = new WorkerTrends(await openTrendReader(reader), reader.worker)
    const lines = new LogLines((text) => post({ type: 'log-lines', lines: text }))
    const state = await createPolicyState(setup, {
      notify: (notice) => (notice.type === 'log' ? lines.add(notice) : post(notice)),
      trends,
      questions,
    })
    const batch = new ResultBatch((results) => {
      // What a run has said comes before its end.
      lines.flush()
      post({ type: 'results', results })
    })
    const runner = new JobRunner(state, setup.timeSource, (result, hasWaited) => batch.add(result, hasWaited))
    const startAll = (jobs: readonly Job[]): void => {
      if (jobs.length === 1) return jobs.forEach((job) => runner.start(job))
      lines.whileGathering(() => jobs.forEach((job) => runner.start(job)))
    }
    port.on('message', (message: ToWorker) => {
      switch (message.type) {
        case 'run':
          // What was committed since the last batch is seen from here on.
          trends.releaseView()
          // What has ended by now does not wait for these, nor is it lost with one that never ends.
          batch.flush()
          startAll(unpackJobs(message.jobs))
          return
        case 'console-line':
          void repeatConsoleLine(message.line, state.lua, post)
          return
        case 'answer':
          questions.settle(message.id, message.answer)
          return
        case 'geo-database':
          state.replaceGeoDatabase(message.database)
          return
        case 'ping':
          post({ type: 'pong' })
          return
        default:
          message satisfies never
      }
    })
    lowerPolicyThread()
    post({ type: 'ready' })
  } catch (error) {
    const known = error instanceof TrackError ? error : new TrackError('TRK_CONFIG_INVALID', messageOf(error))
    post({ type: 'failed', error: known.toWire() })
  }
}

void main()
