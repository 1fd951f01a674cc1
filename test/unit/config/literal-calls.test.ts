import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { literalCalls } from '../../../src/config/literal-calls.ts'

const WANTED = new Set(['use', 'other'])

function found(source: string): readonly string[] {
  return literalCalls(source, WANTED).map(({ name, argument, line }) => `${line}:${name}:${argument}`)
}

const cases: readonly (readonly [source: string, calls: readonly string[]])[] = [
  ['use("a")', ['1:use:a']],
  ["x = use ( 'a' , 1)", ['1:use:a']],
  ['use "a"', ['1:use:a']],
  ['function f()\n  use("a", "b")\n\n  other("c")\nend', ['2:use:a', '4:other:c']],
  ['-- use("a")\nuse("b")', ['2:use:b']],
  ['--[[ use("a")\n]] use("b")', ['2:use:b']],
  ['--[==[ ]] use("a")\n\n]==] use("b")', ['3:use:b']],
  ['x = [[ use("a") \n]] use("b")', ['2:use:b']],
  ['x = "use(\\"a\\")" use("b")', ['1:use:b']],
  ['use(name) use("a" .. b) use(1) use()', []],
  ['t.use("a") t:use("b") function use("c")', []],
  ['misuse("a") useless("b")', []],
  ['use("a\\n")', []],
  ['use("never closed', []],
  ['--[[ never closed use("a")', []],
  ['use', []],
]
for (const [source, calls] of cases) {
  test(source.replaceAll('\n', ' ⏎ '), () => assert.deepEqual(found(source), calls))
}

test('any text is looked through, and line numbers count its newlines', () => {
  const piece = fc.constantFrom(
    'use("a")',
    '-- x',
    '[[',
    ']]',
    '\n',
    '"',
    "'",
    ' ',
    '--[[',
    'x',
    '\\',
    '=',
    '[=[',
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
      const source = pieces.join('')
      for (const { line } of literalCalls(source, WANTED)) {
        assert.match(source.split('\n')[line - 1] ?? '', /use\("a"\)/)
      }
    }),
  )
})

test('a call on a line of its own is found whatever stands in whole lines around it', () => {
  const other = fc.constantFrom('-- "use', 'x = "a"', 'y = [[ " ]]', "--[[ ' ]]", "z = 'it''s'", 'f()')
  fc.assert(
    fc.property(fc.array(other), fc.array(other), (before, after) => {
      const source = [...before, 'use("it")', ...after].join('\n')
      assert.deepEqual(found(source), [`${before.length + 1}:use:it`])
    }),
  )
})
