/**
 * The configuration thread: runs the configuration file once, in a Lua state whose functions collect settings, and sends
 * the main thread what they collected. After that it stays, and runs the lines of the console in the same state.
 */
import { parentPort, type MessagePort } from 'node:worker_threads'
import { messageOf, TrackError } from '../errors.ts'
import { QuestionChannel } from '../policy/question-channel.ts'
import type { StoreAnswer, StoreQuestion } from '../policy/store-questions.ts'
import { WorkerTrends } from '../policy/worker-trends.ts'
import { openTrendReader } from '../store/embedded/trend-reader.ts'
import { threadSetup } from '../thread-starter.ts'
import { hashSeed } from '../trends/item-hash.ts'
import type { ServerAnswer, ServerQuestion } from '../console/console-questions.ts'
import {
  createConfigurationState,
  type ConfigurationState,
  type ConnectedServer,
} from './configuration-state.ts'
import { readConfigSource } from './config-source.ts'
import { runConsoleLine } from './line-runner.ts'
import type { ConfigThreadSetup, FromConfigThread, ToConfigThread } from './messages.ts'

async function collect(
  setup: ConfigThreadSetup,
  { lua, settings, stateDirectory }: ConfigurationState,
): Promise<FromConfigThread> {
  const source = setup.configSource ?? readConfigSource(setup.configFile)
  const outcome = await lua.runSource(source, setup.configFile)
  if (!outcome.ok) throw configurationError(setup.configFile, outcome.error.message)
  return {
    type: 'collected',
    raw: settings.toRaw(),
    source,
    geoDatabases: [...settings.geoDatabases.values()],
    stateDirectory: stateDirectory(),
    trendDefinitions: settings.trends.all(),
    notices: settings.notices,
  }
}

/** Lua's messages begin with file and line, unless the file raised something that is no text. */
function configurationError(configFile: string, message: string): TrackError {
  return new TrackError(
    'TRK_CONFIG_INVALID',
    message.includes(configFile) ? message : `${configFile}: ${message}`,
  )
}

async function main(port: MessagePort): Promise<void> {
  const setup = await threadSetup<ConfigThreadSetup>()
  const post = (message: FromConfigThread): void => port.postMessage(message)
  const storeQuestions = new QuestionChannel<StoreQuestion, StoreAnswer>((id, question) =>
    post({ type: 'store-question', id, question }),
  )
  const serverQuestions = new QuestionChannel<ServerQuestion, ServerAnswer>(
    (id, question) => post({ type: 'server-question', id, question }),
    'TRK_CONSOLE_FAILED',
  )
  let server: ConnectedServer | undefined
  let connecting: Promise<ConnectedServer | undefined> = Promise.resolve(undefined)
  try {
    const state = createConfigurationState({
      setup,
      notify: post,
      askStore: (question) => storeQuestions.ask(question),
      askServer: (question) => serverQuestions.ask(question),
      server: () => server,
    })
    const collected = await collect(setup, state)
    // A rejection ends the thread, which the main thread sees and mends.
    const runLine = async ({ id, line }: { readonly id: number; readonly line: string }): Promise<void> => {
      server = await connecting
      post({ type: 'line-ended', id, outcome: await runConsoleLine(line, state, server) })
    }
    port.on('message', (message: ToConfigThread) => {
      switch (message.type) {
        case 'connect':
          connecting = connect(message)
          return
        case 'line':
          void runLine(message)
          return
        case 'store-answer':
          storeQuestions.settle(message.id, message.answer)
          return
        case 'server-answer':
          serverQuestions.settle(message.id, message.answer)
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
    post(collected)
  } catch (error) {
    const known = error instanceof TrackError ? error : new TrackError('TRK_CONFIG_INVALID', messageOf(error))
    post({ type: 'failed', error: known.toWire() })
    port.close()
  }
}

async function connect({
  reader,
  hashSeed: seed,
}: Extract<ToConfigThread, { readonly type: 'connect' }>): Promise<ConnectedServer> {
  return { trends: new WorkerTrends(await openTrendReader(reader), reader.worker), seed: hashSeed(seed) }
}

if (parentPort !== null) void main(parentPort)
