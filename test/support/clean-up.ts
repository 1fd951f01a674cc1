/**
 * What a test undoes at its end, the newest first: what was opened in a directory is closed before it is removed. (The test
 * runner's own `after` hooks run in the order in which they were added.)
 */
import type { TestContext } from 'node:test'

const stacks = new WeakMap<TestContext, AsyncDisposableStack>()

export function atEnd(t: TestContext, undo: () => unknown): void {
  let stack = stacks.get(t)
  if (stack === undefined) {
    const made = new AsyncDisposableStack()
    t.after(() => made.disposeAsync())
    stacks.set(t, made)
    stack = made
  }
  stack.defer(async () => {
    await undo()
  })
}
