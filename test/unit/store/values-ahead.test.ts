import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type AheadPage, ValuesAhead } from '../../../src/store/embedded/values-ahead.ts'

const NAMES = ['a', 'b', 'c']

/** A disk whose reads answer, with what was there when they were asked, when they are told to. */
class HeldReads {
  readonly onDisk = new Map<string, Uint8Array>()
  readonly #held: (() => void)[] = []

  read(names: readonly string[]): Promise<readonly (Uint8Array | undefined)[]> {
    const found = names.map((name) => this.onDisk.get(name))
    return new Promise((resolve) => this.#held.push(() => resolve(found)))
  }

  answerFirst(): void {
    this.#held.shift()?.()
  }
}

test('what was read ahead is what is there, as long as it is there, in whatever order things come', async () => {
  const name = fc.constantFrom(...NAMES)
  const step = fc.oneof(
    fc.record({ kind: fc.constant('stage' as const), name, value: fc.option(fc.nat(255)) }),
    fc.record({ kind: fc.constant('write' as const) }),
    fc.record({ kind: fc.constant('read' as const), names: fc.subarray(NAMES, { minLength: 1 }) }),
    fc.record({ kind: fc.constant('answer' as const) }),
    fc.record({ kind: fc.constant('end' as const) }),
  )
  let found = 0
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60, size: 'max' }), async (steps) => {
      const disk = new HeldReads()
      /** Not on disk yet; undefined for what is removed. */
      const staged = new Map<string, Uint8Array | undefined>()
      const ahead = new ValuesAhead((key) => staged.has(key))
      const pages: AheadPage[] = []
      const now = (key: string): Uint8Array | undefined =>
        staged.has(key) ? staged.get(key) : disk.onDisk.get(key)
      for (const action of steps) {
        if (action.kind === 'stage') {
          staged.set(action.name, action.value === null ? undefined : Uint8Array.of(action.value))
          ahead.changed(action.name)
        } else if (action.kind === 'write') {
          for (const [key, value] of staged) {
            if (value === undefined) disk.onDisk.delete(key)
            else disk.onDisk.set(key, value)
          }
          staged.clear()
        } else if (action.kind === 'read') {
          const { names } = action
          void ahead.read(names, () => disk.read(names)).then((page) => pages.push(page))
        } else if (action.kind === 'answer') {
          disk.answerFirst()
          for (let turn = 0; turn < 3; turn++) await Promise.resolve()
        } else {
          pages.shift()?.end()
        }
        for (const { values } of pages) {
          for (const [key, value] of values) assert.equal(value, now(key))
          found += values.size
        }
      }
    }),
  )
  assert.ok(found > 0)
})

test('a page that has ended hears of nothing, and a read that failed is forgotten', async () => {
  const ahead = new ValuesAhead(() => false)
  const value = Uint8Array.of(1)
  const ended = await ahead.read(['a'], () => Promise.resolve([value]))
  ended.end()
  ahead.changed('a')
  assert.deepEqual([...ended.values], [['a', value]])
  await assert.rejects(
    ahead.read(['a'], () => Promise.reject(new Error('no'))),
    /^Error: no$/,
  )
  assert.equal(ahead.underWay, 0)
  const page = await ahead.read(['a', 'b'], () => Promise.resolve([value, undefined]))
  assert.deepEqual(
    [...page.values],
    [
      ['a', value],
      ['b', undefined],
    ],
  )
  ahead.changed('a')
  assert.deepEqual([...page.values.keys()], ['b'])
})
