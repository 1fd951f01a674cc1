/**
 * The reports that a server has kept, oldest first, at the times at which it received them: out of its state directory while
 * it is stopped, or from the server itself. Main thread of the command.
 */
import { extname, join } from 'node:path'
import { lookFor } from '../config/state-directory.ts'
import { TrackError } from '../errors.ts'
import type { TrendApplierSetup } from '../store/apply-trends.ts'
import { parseDumpLine } from '../store/dump-reports.ts'
import { openEmbeddedStore, type EmbeddedStore } from '../store/embedded/embedded-store.ts'
import type { BadLines } from './reports-of-files.ts'
import type { ReplayReport } from './replay.ts'

const PAGE_REPORTS = 1_000
const NO_TRENDS: TrendApplierSetup = { definitions: [] }
const WHERE = 'the history'

/**
 * Opens the store of a stopped server, under its lock; nothing in it is changed, and nothing that waits is run.
 *
 * @returns undefined while a server holds it.
 * @throws TrackError TRK_REPLAY_INPUT when there is none; TRK_STORE_* when it cannot be read.
 */
export async function openHistory(stateDirectory: string, nowMs: number): Promise<EmbeddedStore | undefined> {
  const { isThere, why = `${stateDirectory} holds no store: no server has used it yet` } = lookFor(
    join(stateDirectory, 'store'),
  )
  if (!isThere) throw new TrackError('TRK_REPLAY_INPUT', why)
  const module = new URL(`../store/apply-trends${extname(import.meta.url)}`, import.meta.url).href
  try {
    const { store } = await openEmbeddedStore(
      { onReadiness: () => undefined, onTrouble: () => undefined, onThreadLost: () => undefined },
      { stateDirectory, recover: false, nowMs, trends: { module, setup: NO_TRENDS } },
    )
    return store
  } catch (error) {
    if (error instanceof TrackError && error.code === 'TRK_STORE_LOCKED') return undefined
    throw error
  }
}

export async function* reportsOfStore(
  store: Pick<EmbeddedStore, 'history'>,
): AsyncGenerator<readonly ReplayReport[], void, undefined> {
  let afterId = -1
  for (;;) {
    const entries = await store.history({ afterId, limit: PAGE_REPORTS })
    const last = entries.at(-1)
    if (last === undefined) return
    afterId = last.id
    yield entries.map(({ id, text, receivedAtMs }) => ({
      id,
      text,
      nowSeconds: receivedAtMs / 1000,
      mark: undefined,
    }))
  }
}

/**
 * @param run - answers a line of the console
 * @throws TrackError TRK_REPLAY_INPUT with what the server said when it refused.
 */
export async function* reportsOfServer(
  run: (line: string) => Promise<string>,
  badLines: BadLines,
): AsyncGenerator<readonly ReplayReport[], void, undefined> {
  let after = '-1'
  do {
    // Policy workers run the line as well, where dumpReports answers nothing: it must not fail there.
    const reply = await run(
      `local lines, after = dumpReports(${after}, ${PAGE_REPORTS})\n` +
        `return (after and string.format("%d", after) or "") .. "\\n" .. (lines or "")`,
    )
    const [next = '', ...lines] = reply.split('\n')
    if (!/^\d*$/.test(next)) throw new TrackError('TRK_REPLAY_INPUT', `the server says: ${reply}`)
    after = next
    yield lines.flatMap((line) => reportOf(line, badLines))
  } while (after !== '')
}

function reportOf(line: string, badLines: BadLines): readonly ReplayReport[] {
  if (line === '') return []
  const dumped = parseDumpLine(line)
  if (dumped?.text === undefined) {
    const reason = 'it is longer than an answer of the server may be; stop the server and replay again'
    badLines.note({ file: WHERE, line: dumped?.id ?? 0, reason })
    return []
  }
  const { id, text, receivedSeconds } = dumped
  return [{ id, text, nowSeconds: receivedSeconds, mark: undefined }]
}
