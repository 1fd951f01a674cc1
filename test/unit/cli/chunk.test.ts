import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { goesOn, isFailure } from '../../../src/cli/chunk.ts'
import { startLua } from '../../support/lua-harness.ts'

describe('a chunk goes on when Lua says that it ended too early', () => {
  const chunks: readonly (readonly [source: string, goesOn: boolean])[] = [
    ['for i = 1, 2 do', true],
    ['x = {', true],
    ['return (1 +', true],
    ['if true then x = 1', true],
    ['local function f()\n  return 1', true],
    ['x = = 1', false],
    ['end', false],
    ['return 1', false],
    ['x = "abc', false],
    ['x = [[abc', true],
    ['--[[ abc', true],
    ['error("near <eof> it went wrong")', false],
    ['nothing()', false],
  ]
  for (const [source, expected] of chunks) {
    test(source.replaceAll('\n', ' ⏎ '), async (t) => {
      const outcome = await startLua(t).run(source)
      const reply = outcome.ok ? 'done' : `Error: ${outcome.error.message}\n${outcome.error.traceback}`
      assert.equal(goesOn(reply), expected, reply)
      assert.equal(isFailure(reply), !outcome.ok)
    })
  }

  test('also in the words of LuaJIT, which the reference runs', () => {
    assert.equal(goesOn(`Error: [string "x = {"]:1: unexpected symbol near '<eof>'`), true)
  })
})
