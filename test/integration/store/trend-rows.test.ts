/** What the store keeps in memory of trend rows, on a real database: that it changes nothing but how fast it is. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import * as fc from 'fast-check'
import { createTrendApplier } from '../../../src/store/apply-trends.ts'
import { Database } from '../../../src/store/embedded/database.ts'
import { RowOwners } from '../../../src/store/embedded/row-owners.ts'
import { TrendRows } from '../../../src/store/embedded/trend-rows.ts'
import { WriteBatch } from '../../../src/store/embedded/write-batch.ts'
import { RunChanges } from '../../../src/trends/run-changes.ts'
import type { TrendChange } from '../../../src/trends/trend-change.ts'
import { temporaryDirectory } from '../../support/embedded-store.ts'
import { bytesOf, defined, fieldOf, hashOf, START_SECONDS } from '../../support/trend-fixtures.ts'

const DEFINITION = defined()
const [COUNT, IPS] = [fieldOf(DEFINITION, 'count'), fieldOf(DEFINITION, 'ips')]
const WORKER = 1
const KEYS = ['a', 'b'] as const
/** None, a few records, some rows with their sketches, everything. */
const MEMORIES = [0, 700, 1_500, 6_000, 1_000_000]
/** Enough for a sketch that stands apart from its row. */
const MANY_ITEMS = 60

type Step =
  | { readonly kind: 'forget'; readonly key: string }
  | { readonly kind: 'count'; readonly key: string; readonly amount: number }
  | { readonly kind: 'items'; readonly key: string; readonly from: number; readonly seconds: number }

/** Trend rows over a database of their own. */
class Rows {
  readonly #database: Database
  readonly #rows: TrendRows
  readonly #errors: string[] = []

  constructor(database: Database, recentBytes: number) {
    this.#database = database
    this.#rows = new TrendRows({
      database: () => database,
      applier: createTrendApplier({ definitions: [DEFINITION] }),
      recentBytes,
      owners: new RowOwners(),
      onRowError: (_name, message) => this.#errors.push(message),
    })
  }

  async write(steps: readonly Step[]): Promise<void> {
    const batch = new WriteBatch()
    for (const step of steps) {
      if (step.kind === 'forget') this.#rows.stageForget(batch, step.key)
      else this.#rows.addChanges(changesOf(step).encode(), WORKER)
    }
    await this.#rows.finishChanges(batch)
    this.#rows.finishAll(batch)
    await this.#database.write(batch, false)
    this.#rows.changesWritten()
    assert.deepEqual(this.#errors, [])
  }

  /** Everything on disk. */
  async content(): Promise<ReadonlyMap<string, string>> {
    const range = { from: new Uint8Array(0), to: Uint8Array.of(0xff), limit: 1000 }
    const entries = await this.#database.scan(range)
    return new Map(
      entries.map(([key, value]) => [Buffer.from(key).toString('hex'), Buffer.from(value).toString('hex')]),
    )
  }
}

function changesOf(step: Exclude<Step, { readonly kind: 'forget' }>): RunChanges {
  const changes = new RunChanges()
  const add = (change: TrendChange): void => void changes.add(DEFINITION.name, bytesOf(step.key), change)
  if (step.kind === 'count') {
    add({ op: 'int-add', fieldId: COUNT.id, timeSeconds: START_SECONDS, amount: step.amount })
    return changes
  }
  for (let item = step.from; item < step.from + MANY_ITEMS; item++) {
    const timeSeconds = START_SECONDS + step.seconds
    add({ op: 'hll-add', fieldId: IPS.id, timeSeconds, hash: hashOf(`${item}`) })
  }
  return changes
}

async function rowsWith(t: TestContext, recentBytes: number): Promise<Rows> {
  const database = await Database.open(join(await temporaryDirectory(t), 'store'))
  t.after(() => database.close())
  return new Rows(database, recentBytes)
}

const key = fc.constantFrom(...KEYS)
const BATCHES = fc.array(
  fc.array(
    fc.oneof(
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('forget' as const), key }) },
      {
        weight: 3,
        arbitrary: fc.record({
          kind: fc.constant('count' as const),
          key,
          amount: fc.integer({ min: 1, max: 9 }),
        }),
      },
      {
        weight: 4,
        arbitrary: fc.record({
          kind: fc.constant('items' as const),
          key,
          from: fc.integer({ min: 0, max: 300 }),
          seconds: fc.constantFrom(0, 10),
        }),
      },
    ),
    { minLength: 1, maxLength: 4 },
  ),
  { minLength: 20, maxLength: 30 },
)

test('rows and their sketches are the same on disk, however much of them is kept in memory', async (t) => {
  await fc.assert(
    fc.asyncProperty(BATCHES, async (batches) => {
      const all = await Promise.all(MEMORIES.map((bytes) => rowsWith(t, bytes)))
      for (const steps of batches) {
        for (const rows of all) await rows.write(steps)
        const [expected, ...others] = await Promise.all(all.map((rows) => rows.content()))
        for (const other of others) assert.deepEqual(other, expected)
      }
    }),
    { numRuns: 12 },
  )
})

test('what is changed in the batch that forgets a row begins anew', async (t) => {
  const items = { kind: 'items', key: 'a', seconds: 0 } as const
  const after = [
    { ...items, from: 500 },
    { kind: 'count', key: 'a', amount: 1 },
  ] as const
  const alone = await rowsWith(t, 0)
  await alone.write(after)
  for (const memory of MEMORIES) {
    const rows = await rowsWith(t, memory)
    await rows.write([
      { ...items, from: 0 },
      { kind: 'count', key: 'a', amount: 5 },
    ])
    await rows.write([{ kind: 'forget', key: 'a' }, ...after])
    assert.deepEqual(await rows.content(), await alone.content(), `${memory} bytes`)
  }
})
