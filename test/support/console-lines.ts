/** The configuration thread as the server uses it, with a real store, for tests of console lines. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { ConsoleServer, LineAnswer } from '../../src/config/configuration-thread.ts'
import { loadConfiguration, type Configuration } from '../../src/config/load-configuration.ts'
import type { CommittedEffects } from '../../src/policy/messages.ts'
import { answerStoreQuestion } from '../../src/policy/store-questions.ts'
import type { EmbeddedStore } from '../../src/store/embedded/embedded-store.ts'
import { HASH_SEED_BYTES } from '../../src/trends/item-hash.ts'
import { temporaryDirectory } from './embedded-store.ts'
import { openPolicyStore } from './policy-store.ts'
import { rememberingLog, type RememberedLine } from './silent-log.ts'

export interface ConsoleLines {
  /** Runs a line. */
  readonly run: (line: string) => Promise<LineAnswer>
  readonly configuration: Configuration
  readonly log: readonly RememberedLine[]
  /** What lines have changed, in order. */
  readonly commits: readonly CommittedEffects[]
  /** Lines that policy states were told to run. */
  readonly shared: readonly string[]
  readonly store: EmbeddedStore
}

/** Runs a configuration and connects its thread; both end with the test. */
export async function startConsoleLines(
  t: TestContext,
  configuration = '',
  replaced: Partial<ConsoleServer> = {},
): Promise<ConsoleLines> {
  const folder = await temporaryDirectory(t)
  const configFile = join(folder, 'trackalert.conf')
  await writeFile(configFile, configuration)
  const loaded = await loadConfiguration({
    configFile,
    stateDirectoryFromEnvironment: undefined,
    environment: {},
  })
  const store = await openPolicyStore(t, loaded.trendDefinitions)
  t.after(() => loaded.thread.stop())
  const { log, lines } = rememberingLog()
  const commits: CommittedEffects[] = []
  const shared: string[] = []
  let worker = 0
  loaded.thread.connect({
    log,
    hashSeed: new Uint8Array(HASH_SEED_BYTES),
    openReader: () => ({ ...store.readerAccess(), worker: ++worker }),
    answerServer: async (question) => ({
      kind: 'failed',
      message: `no server answers ${question.kind} here`,
    }),
    answerStore: (question) =>
      answerStoreQuestion(
        {
          store,
          now: Date.now,
          onResent: () => undefined,
          askAlerts: () => Promise.reject(new Error('there are no alerts here')),
          sendTest: (sink) => Promise.resolve({ ok: false, answer: `nothing is sent to ${sink} here` }),
        },
        question,
      ),
    async commit(effects) {
      commits.push(effects)
      const { trends } = effects
      const deltas = trends?.deltas ?? new Uint8Array(0)
      const done = { kind: 'done', reportId: undefined, deltas, messages: [] } as const
      await store.commit([{ ...done, commit: trends?.commit }])
      return true
    },
    runInPolicies: (line) => shared.push(line),
    onNotice(notice) {
      if (notice.type === 'log') log[notice.level](notice.message, notice.fields)
    },
    ...replaced,
  })
  return {
    run: (line) => loaded.thread.runLine(line, '192.0.2.1'),
    configuration: loaded,
    log: lines,
    commits,
    shared,
    store,
  }
}
