import assert from 'node:assert/strict'
import { setImmediate as turn } from 'node:timers/promises'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import { WorkerTrends } from '../../../src/policy/worker-trends.ts'
import type { TrendReader, TrendView } from '../../../src/store/store.ts'
import { readCount, rangeOf } from '../../../src/trends/read-trends.ts'
import { chunkName, chunksToApply, loadChunks } from '../../../src/trends/row-chunks.ts'
import { splitRow } from '../../../src/trends/split-row.ts'
import { RunChanges } from '../../../src/trends/run-changes.ts'
import type { TrendChange } from '../../../src/trends/trend-change.ts'
import type { TrendField } from '../../../src/trends/trend-definition.ts'
import type { TrendRow } from '../../../src/trends/trend-row.ts'
import { bytesOf, defined, fieldOf, hashOf, rowOf, START_SECONDS } from '../../support/trend-fixtures.ts'

const DEFINITION = defined({
  fields: new Map([
    ['count', 'int'],
    ['ips', 'hll'],
  ]),
})
const COUNT = fieldOf(DEFINITION, 'count')
const WORKER = 7
/** Enough for a sketch that stands apart from its row. */
const ITEMS = 60

/** An amount; with items, also these numbers to the distinct count of one of three windows. */
function addition(key: string, amount: number, items = 0, from = 0): RunChanges {
  const changes = new RunChanges()
  const add = (change: TrendChange): void => void changes.add(DEFINITION.name, bytesOf(key), change)
  add({ op: 'int-add', fieldId: COUNT.id, timeSeconds: START_SECONDS, amount })
  const timeSeconds = START_SECONDS + (amount % 3) * 10
  for (let item = from; item < from + items; item++) {
    add({ op: 'hll-add', fieldId: fieldOf(DEFINITION, 'ips').id, timeSeconds, hash: hashOf(`${item}`) })
  }
  return changes
}

function countIn(row: TrendRow, field = COUNT): number {
  const query = { row, field, nowSeconds: START_SECONDS + 20, own: [] }
  return readCount(query, rangeOf(query))
}

function applyTo(row: TrendRow, changes: RunChanges): void {
  for (const { changes: ofRow } of changes.rows()) for (const change of ofRow) row.apply(change)
}

/**
 * What the store has committed. Answers at once; or, when told to wait, not before `answer` is called for the question, so
 * that a test decides in which order. What an answer holds was so when it was asked for.
 */
class Committed implements TrendReader {
  readonly waits: boolean
  /** Questions that wait for their answer. */
  readonly questions: (() => void)[] = []
  openViews = 0
  #rows: ReadonlyMap<string, Uint8Array> = new Map()
  #chunks: ReadonlyMap<string, Uint8Array> = new Map()
  #applied = -1

  constructor(waits: boolean) {
    this.waits = waits
  }

  commit(number: number, key: string, changes: RunChanges): void {
    const row = rowOf(DEFINITION, this.#rows.get(key))
    const ofKey = [...changes.rows()].flatMap((changed) => changed.changes)
    assert.equal(
      loadChunks(row, chunksToApply(row, ofKey), (name) => this.#chunks.get(key + name)),
      undefined,
    )
    applyTo(row, changes)
    const { main, chunks } = splitRow(row)
    this.#rows = new Map([...this.#rows, [key, main]])
    const named = chunks.map((chunk) => [key + chunkName(chunk), chunk.bytes] as const)
    this.#chunks = new Map([...this.#chunks, ...named])
    this.#applied = number
  }

  openView(): TrendView | Promise<TrendView> {
    const rows = this.#rows
    const chunks = this.#chunks
    let isOpen = true
    this.openViews++
    return this.#answer({
      appliedCommit: this.#applied,
      readRow: (_database, key) => this.#answer(rows.get(Buffer.from(key).toString())),
      readChunk: (_database, key, name) => this.#answer(chunks.get(Buffer.from(key).toString() + name)),
      countRows: () => this.#answer(rows.size),
      close: () => {
        if (isOpen) this.openViews--
        isOpen = false
      },
    })
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  #answer<T>(value: T): T | Promise<T> {
    return this.waits ? new Promise((resolve) => this.questions.push(() => resolve(value))) : value
  }
}

const STEPS = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('run' as const),
        key: fc.constantFrom('a', 'b'),
        amount: fc.integer({ min: 1, max: 9 }),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('read' as const),
        key: fc.constantFrom('a', 'b'),
        field: fc.constantFrom('count', 'ips'),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({ kind: fc.constant('commit' as const), runs: fc.integer({ min: 1, max: 4 }) }),
    },
    { weight: 3, arbitrary: fc.constant({ kind: 'release' } as const) },
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('answer' as const), which: fc.nat() }) },
  ),
  { maxLength: 80, size: 'max' },
)

for (const [waits, items, numRuns] of [
  [false, 0, 1000],
  [true, 0, 1000],
  [false, ITEMS, 300],
  [true, ITEMS, 300],
] as const) {
  const how = `with answers ${waits ? 'in any order' : 'at once'}${items > 0 ? ', sketches apart' : ''}`
  test(`a read holds every ended run exactly once, whatever is committed meanwhile, ${how}`, async () => {
    await fc.assert(
      fc.asyncProperty(STEPS, async (steps) => {
        const committed = new Committed(waits)
        const trends = new WorkerTrends(committed, WORKER)
        const ended = new Map([
          ['a', rowOf(DEFINITION)],
          ['b', rowOf(DEFINITION)],
        ])
        let nextItem = 0
        const uncommitted: { readonly number: number; readonly key: string; readonly changes: RunChanges }[] =
          []
        const reads: Promise<void>[] = []
        const check = (key: string, row: TrendRow, field: TrendField): void =>
          assert.equal(countIn(row, field), countIn(ended.get(key) ?? row, field), `key ${key}`)
        for (const step of steps) {
          switch (step.kind) {
            case 'run': {
              const changes = addition(step.key, step.amount, items, nextItem)
              nextItem += items
              const outcome = trends.runEnded(changes)
              assert.ok(outcome !== undefined && outcome.commit.worker === WORKER)
              uncommitted.push({ number: outcome.commit.number, key: step.key, changes })
              const row = ended.get(step.key)
              if (row !== undefined) applyTo(row, changes)
              break
            }
            case 'read': {
              const field = fieldOf(DEFINITION, step.field)
              const row = trends.readRow(DEFINITION, bytesOf(step.key), field)
              if (!(row instanceof Promise)) {
                check(step.key, row, field)
                break
              }
              const checked = row.then((read) => check(step.key, read, field))
              // Looked at in the end, by when it may long have failed.
              checked.catch(() => undefined)
              reads.push(checked)
              break
            }
            case 'commit':
              for (const { number, key, changes } of uncommitted.splice(0, step.runs))
                committed.commit(number, key, changes)
              break
            case 'release':
              trends.releaseView()
              break
            case 'answer':
              committed.questions.splice(step.which % (committed.questions.length || 1), 1)[0]?.()
              // Whoever waited for it goes on before the next step.
              await turn()
              break
            default:
              step satisfies never
          }
        }
        for (let left = 0; committed.questions.length > 0; left++) {
          assert.ok(left < 1000, 'reads ask without end')
          committed.questions.shift()?.()
          await turn()
        }
        await Promise.all(reads)
        trends.releaseView()
        assert.equal(committed.openViews, 0, 'every view is closed')
      }),
      { numRuns },
    )
  })
}

describe('the trends of a worker', () => {
  test('are read from one view until it is released, and then from a new one', () => {
    const committed = new Committed(false)
    const trends = new WorkerTrends(committed, WORKER)
    const read = (): number => {
      const row = trends.readRow(DEFINITION, bytesOf('a'), COUNT)
      assert.ok(!(row instanceof Promise))
      return countIn(row)
    }
    assert.equal(read(), 0)
    // Of another worker: this one has ended no run yet.
    committed.commit(0, 'a', addition('a', 5))
    assert.equal(read(), 0)
    trends.releaseView()
    assert.equal(read(), 5)
  })

  test('number the runs that changed something, and no others', () => {
    const trends = new WorkerTrends(new Committed(false), WORKER)
    assert.equal(trends.runEnded(new RunChanges()), undefined)
    assert.deepEqual(trends.runEnded(addition('a', 1))?.commit, { worker: WORKER, number: 1 })
    assert.equal(trends.runEnded(new RunChanges()), undefined)
    assert.deepEqual(trends.runEnded(addition('a', 1))?.commit, { worker: WORKER, number: 2 })
  })

  test('count rows as of the view', () => {
    const committed = new Committed(false)
    const trends = new WorkerTrends(committed, WORKER)
    committed.commit(1, 'a', addition('a', 5))
    trends.runEnded(addition('b', 1))
    assert.equal(trends.size(DEFINITION), 1)
  })

  test('say which database is damaged', () => {
    const view: TrendView = {
      appliedCommit: -1,
      readRow: () => new Uint8Array([255, 1, 2]),
      readChunk: () => undefined,
      countRows: () => 1,
      close: () => undefined,
    }
    const trends = new WorkerTrends({ openView: () => view, close: () => Promise.resolve() }, WORKER)
    assert.throws(() => trends.readRow(DEFINITION, bytesOf('a'), COUNT), {
      code: 'TRK_TREND_DAMAGED',
      message: /test/,
    })
  })
})
