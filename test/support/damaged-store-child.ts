/**
 * A process that opens a store without looking at its tables first, waits until the damage is found and tries to write. It
 * tells as one line of JSON. A process of its own, since LevelDB may end it when it reads what is damaged before that.
 */
import type { EmbeddedStore } from '../../src/store/embedded/embedded-store.ts'
import { encodeCounts } from './counting-trends.ts'
import { openStore } from './embedded-store.ts'
import { reportAt } from './store-reports.ts'

/** What a store says whose damage was found after its start, or at it. */
export interface FoundDamage {
  /** Its code, when the store did not open. */
  readonly atStart?: unknown
  /** Why it is not ready. */
  readonly reason?: string
  readonly lastSeen?: string | undefined
  /** What an append was answered. */
  readonly refused?: string
  /** The code with which a commit failed. */
  readonly commit?: unknown
}

const FOUND_WITHIN_MS = 20_000

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : String(error)
}

async function damageIn(store: EmbeddedStore): Promise<string> {
  const endMs = performance.now() + FOUND_WITHIN_MS
  while (performance.now() < endMs) {
    const readiness = store.readiness()
    if (!readiness.ready && readiness.reason.includes('damaged')) return readiness.reason
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  return 'the damage was not found'
}

async function lookFor(stateDirectory: string): Promise<FoundDamage> {
  const seen: string[] = []
  let store
  try {
    store = (await openStore(stateDirectory, { checkMs: -1 }, seen)).store
  } catch (error) {
    return { atStart: codeOf(error) }
  }
  const reason = await damageIn(store)
  const lastSeen = seen.at(-1)
  const append = await store.append([reportAt(1)])
  const done = {
    kind: 'done',
    reportId: undefined,
    messages: [],
    commit: undefined,
    deltas: encodeCounts([]),
  } as const
  const commit = await store.commit([done]).then(() => 'done', codeOf)
  await store.close()
  return { reason, lastSeen, refused: append.kind === 'refused' ? append.detail : append.kind, commit }
}

process.stdout.write(`${JSON.stringify(await lookFor(process.argv[2] ?? ''))}\n`)
