/**
 * A process that is killed: it appends numbered reports, commits those that it is handed, and writes a line for every
 * acknowledgement. Arguments: state directory, first number.
 *
 *     a N    report N is durable
 *     c N    the outcome of report N is durable
 *     ready, refused REASON, error TEXT
 */
import type { JournalledReport } from '../../src/store/store.ts'
import { encodeCounts } from './counting-trends.ts'
import { openStore } from './embedded-store.ts'
import { reportAt, START_MS } from './store-reports.ts'

/** Reports per append; several appends are under way at once. */
const BATCH = 7
const UNDER_WAY = 6

const [stateDirectory = '', first = '0'] = process.argv.slice(2)

function say(lines: readonly string[]): void {
  // Synchronous on a pipe: what was said is with the parent when this process is killed.
  process.stdout.write(lines.map((line) => `${line}\n`).join(''))
}

const { store } = await openStore(stateDirectory)
say(['ready'])

function numberOf(text: string): number {
  return (JSON.parse(text) as { readonly n: number }).n
}

async function finish(reports: readonly JournalledReport[]): Promise<void> {
  await store.commit(
    reports.map(({ id, text }) => ({
      kind: 'done',
      reportId: id,
      deltas: encodeCounts([{ database: 'd', key: `n${numberOf(text)}`, by: 1, atMs: START_MS }]),
      messages: [{ deliveryId: `m${numberOf(text)}`, receiver: 'hook', body: text, createdAtMs: START_MS }],
      commit: undefined,
    })),
  )
  say(reports.map(({ text }) => `c ${numberOf(text)}`))
}

await store.subscribe((reports) => {
  for (let from = 0; from < reports.length; from += 5) void finish(reports.slice(from, from + 5))
})

let next = Number(first)
async function appendForEver(): Promise<void> {
  for (;;) {
    const numbers = Array.from({ length: BATCH }, () => next++)
    const outcome = await store.append(
      numbers.map((n) =>
        reportAt(n, { login: `u${n % 50}`, text: JSON.stringify({ n, padding: 'x'.repeat(n % 300) }) }),
      ),
    )
    if (outcome.kind === 'durable') say(numbers.map((n) => `a ${n}`))
    else {
      say([`refused ${outcome.reason}`])
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
}
await Promise.all(Array.from({ length: UNDER_WAY }, appendForEver))
