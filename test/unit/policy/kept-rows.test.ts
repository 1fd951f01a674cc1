import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import { WorkerTrends } from '../../../src/policy/worker-trends.ts'
import { NO_OWNER, RowOwners } from '../../../src/store/embedded/row-owners.ts'
import type { TrendReader, TrendView } from '../../../src/store/store.ts'
import { rangeOf, readCount } from '../../../src/trends/read-trends.ts'
import { encodeRow } from '../../../src/trends/row-codec.ts'
import { RunChanges } from '../../../src/trends/run-changes.ts'
import { bytesOf, defined, fieldOf, rowOf, START_SECONDS } from '../../support/trend-fixtures.ts'

const DEFINITION = defined({ fields: new Map([['count', 'int']]) })
const COUNT = fieldOf(DEFINITION, 'count')
const WORKER = 7
const OTHER = 8
/** What others add comes in thousands, so that a sum says who added what. */
const FOREIGN = 1000
const KEYS = ['a', 'b'] as const

function addition(key: string, amount: number): RunChanges {
  const changes = new RunChanges()
  changes.add(DEFINITION.name, bytesOf(key), {
    op: 'int-add',
    fieldId: COUNT.id,
    timeSeconds: START_SECONDS,
    amount,
  })
  return changes
}

/** A store in memory that shares row owners with its reader, as the embedded one does; notes come when the test says so. */
class SharedStore implements TrendReader {
  readonly owners = new RowOwners()
  reads = 0
  #rows: ReadonlyMap<string, Uint8Array> = new Map()
  #applied = -1
  readonly #unnoted: { readonly key: string; readonly worker: number }[] = []

  commit(key: string, amount: number, by: { readonly worker: number; readonly number?: number }): void {
    const row = rowOf(DEFINITION, this.#rows.get(key))
    for (const { changes } of addition(key, amount).rows()) for (const change of changes) row.apply(change)
    this.#rows = new Map([...this.#rows, [key, encodeRow(row)]])
    this.#applied = by.number ?? this.#applied
    this.#unnoted.push({ key, worker: by.worker })
  }

  remove(key: string): void {
    this.#rows = new Map([...this.#rows].filter(([name]) => name !== key))
    this.#unnoted.push({ key, worker: NO_OWNER })
  }

  note(): void {
    for (const { key, worker } of this.#unnoted.splice(0)) this.owners.changed(bytesOf(key), worker)
  }

  openView(): TrendView {
    const version = this.owners.version()
    const rows = this.#rows
    return {
      appliedCommit: this.#applied,
      readRow: (_database, key) => {
        this.reads++
        return rows.get(Buffer.from(key).toString())
      },
      readChunk: () => undefined,
      countRows: () => rows.size,
      watchRow: (_database, key) => this.owners.watch(key, WORKER, version),
      close: () => undefined,
    }
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}

function readCountOf(trends: WorkerTrends, key: string): number {
  const row = trends.readRow(DEFINITION, bytesOf(key), COUNT)
  assert.ok(!(row instanceof Promise))
  const query = { row, field: COUNT, nowSeconds: START_SECONDS, own: [] }
  return readCount(query, rangeOf(query))
}

const key = fc.constantFrom(...KEYS)
const STEPS = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('run' as const), key }) },
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('read' as const), key }) },
    {
      weight: 3,
      arbitrary: fc.record({ kind: fc.constant('commit' as const), runs: fc.integer({ min: 1, max: 4 }) }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('foreign' as const), key }) },
    { weight: 2, arbitrary: fc.constant({ kind: 'note' } as const) },
    { weight: 4, arbitrary: fc.constant({ kind: 'release' } as const) },
  ),
  { maxLength: 120 },
)

test('a kept row holds every ended run once, and in a new batch whatever others were known to have changed', () => {
  fc.assert(
    fc.property(STEPS, (steps) => {
      const store = new SharedStore()
      const trends = new WorkerTrends(store, WORKER)
      const own = new Map<string, number>(KEYS.map((name) => [name, 0]))
      const foreign = new Map(own)
      /** Noted before the present batch began: it must be seen. */
      let mustBeSeen = new Map(own)
      let noted = new Map(own)
      const uncommitted: { readonly key: string; readonly number: number }[] = []
      for (const step of steps) {
        switch (step.kind) {
          case 'run': {
            const ended = trends.runEnded(addition(step.key, 1))
            assert.ok(ended !== undefined)
            uncommitted.push({ key: step.key, number: ended.commit.number })
            own.set(step.key, (own.get(step.key) ?? 0) + 1)
            break
          }
          case 'commit':
            for (const run of uncommitted.splice(0, step.runs))
              store.commit(run.key, 1, { worker: WORKER, number: run.number })
            break
          case 'foreign':
            store.commit(step.key, FOREIGN, { worker: OTHER })
            foreign.set(step.key, (foreign.get(step.key) ?? 0) + FOREIGN)
            break
          case 'note':
            store.note()
            noted = new Map(foreign)
            break
          case 'release':
            trends.releaseView()
            mustBeSeen = noted
            break
          case 'read': {
            const count = readCountOf(trends, step.key)
            const ofOthers = count - (count % FOREIGN)
            assert.equal(count % FOREIGN, own.get(step.key), 'own runs')
            assert.ok(ofOthers >= (mustBeSeen.get(step.key) ?? 0), 'what others were known to have changed')
            assert.ok(ofOthers <= (foreign.get(step.key) ?? 0))
            break
          }
          default:
            step satisfies never
        }
      }
    }),
    { numRuns: 3000 },
  )
})

describe('a row of a policy worker', () => {
  test('is read once for many batches while only the worker changes it', () => {
    const store = new SharedStore()
    const trends = new WorkerTrends(store, WORKER)
    for (let batch = 1; batch <= 20; batch++) {
      const ended = trends.runEnded(addition('a', 1))
      assert.ok(ended !== undefined)
      store.commit('a', 1, { worker: WORKER, number: ended.commit.number })
      store.note()
      trends.releaseView()
      assert.equal(readCountOf(trends, 'a'), batch)
    }
    assert.ok(store.reads <= 2, `${store.reads} reads`)
  })

  test('is read again after the store has removed it', () => {
    const store = new SharedStore()
    const trends = new WorkerTrends(store, WORKER)
    store.commit('a', 5, { worker: WORKER, number: 1 })
    store.note()
    assert.equal(readCountOf(trends, 'a'), 5)
    store.remove('a')
    store.note()
    trends.releaseView()
    assert.equal(readCountOf(trends, 'a'), 0)
  })

  test('is read again when it has taken many changes, so that it cannot grow without end', () => {
    const store = new SharedStore()
    const trends = new WorkerTrends(store, WORKER)
    for (let run = 1; run <= 1000; run++) {
      const ended = trends.runEnded(addition('a', 1))
      assert.ok(ended !== undefined)
      store.commit('a', 1, { worker: WORKER, number: ended.commit.number })
      store.note()
      trends.releaseView()
      assert.equal(readCountOf(trends, 'a'), run)
    }
    assert.ok(store.reads > 5, `${store.reads} reads`)
  })

  test('is let go when thousands of others were used since', () => {
    const store = new SharedStore()
    const trends = new WorkerTrends(store, WORKER)
    readCountOf(trends, 'a')
    for (let number = 0; number < 10_000; number++) readCountOf(trends, `k${number}`)
    const before = store.reads
    readCountOf(trends, 'a')
    assert.equal(store.reads, before + 1)
  })
})

test('nothing is watched that a thread before this one may have changed unnoticed', () => {
  const owners = new RowOwners()
  const watch = owners.watch(bytesOf('a'), WORKER, owners.version())
  assert.equal(watch?.isUnchanged(), true)
  owners.changedAll()
  assert.equal(watch?.isUnchanged(), false)
})

test('a row is not watched from a view that is older than its last change', () => {
  const owners = new RowOwners()
  const version = owners.version()
  owners.changed(bytesOf('a'), NO_OWNER)
  assert.equal(owners.watch(bytesOf('a'), WORKER, version), undefined)
  assert.notEqual(owners.watch(bytesOf('a'), WORKER, owners.version()), undefined)
  owners.changed(bytesOf('a'), OTHER)
  assert.equal(owners.watch(bytesOf('a'), WORKER, owners.version()), undefined)
})
