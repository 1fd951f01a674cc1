import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { requiredTexts } from '../../../src/enrich/device/required-texts.ts'

const cases: Readonly<Record<string, readonly (readonly string[])[]>> = {
  'Chrome/': [['chrome/']],
  '^Chrome$': [['chrome']],
  '(Foo) Bar/(\\d+)\\.(\\d+)': [['foo bar/'], ['.']],
  '(?:iPhone|iPad) OS': [['iphone os', 'ipad os']],
  'abc(?:def|.*)': [['abc']],
  'colou?r': [['colour', 'color']],
  '[Nn]ovo': [['novo']],
  'x+yz{2}': [['x'], ['y'], ['z']],
  'a(?:b|)c': [['abc', 'ac']],
  'foo(?!bar)baz': [['foobaz']],
  'foo(?=bar)': [['foo']],
  'foo(?<=bar)': [['foo']],
  'a{2,3}': [['a']],
  'a{0,3}': [],
  'a*': [],
  '.*': [],
  'a|': [],
  '': [],
  'a{b': [['a{b']],
  'é\\.x': [['.x']],
  // What is not understood says nothing.
  'foo\\u0041bar': [],
  '(foo)\\1': [],
  '(?<name>foo)': [],
  '[]': [],
  'foo[^]': [['foo']],
}

describe('the texts that a pattern requires', () => {
  for (const [pattern, texts] of Object.entries(cases)) {
    it(`of ${pattern || 'the empty pattern'} are ${JSON.stringify(texts)}`, () => {
      assert.deepEqual(requiredTexts(pattern), texts)
    })
  }

  it('are in every text that matches', () => {
    const piece = fc.constantFrom(
      'a',
      'b',
      'B',
      'x',
      '.',
      '\\.',
      '\\d',
      '\\b',
      '^',
      '[ab]',
      '[^a]',
      '[a-c]',
      '{',
      '-',
      '/',
      ' ',
    )
    const quantifier = fc.constantFrom('', '', '', '?', '*', '+', '{2}', '{0,2}', '{1,2}?', '*?')
    const { pattern } = fc.letrec<{ pattern: string; sequence: string; item: string }>((tie) => ({
      item: fc
        .tuple(
          fc.oneof(
            { depthSize: 'small', withCrossShrink: true },
            piece,
            fc
              .tuple(fc.constantFrom('(', '(?:', '(?!', '(?='), tie('pattern'))
              .map(([open, inner]) => `${open}${inner})`),
          ),
          quantifier,
        )
        .map(([part, times]) => part + times),
      sequence: fc.array(tie('item'), { maxLength: 4 }).map((items) => items.join('')),
      pattern: fc
        .array(tie('sequence'), { minLength: 1, maxLength: 3 })
        .map((branches) => branches.join('|')),
    }))
    const text = fc.string({
      unit: fc.constantFrom('a', 'b', 'c', 'A', 'B', '1', '.', '-', '/', ' ', '{', 'é'),
      maxLength: 14,
    })
    fc.assert(
      fc.property(
        pattern,
        fc.array(text, { minLength: 20, maxLength: 20 }),
        fc.boolean(),
        (source, inputs, ignoreCase) => {
          let expression: RegExp
          try {
            expression = new RegExp(source, ignoreCase ? 'i' : '')
          } catch {
            return
          }
          const required = requiredTexts(source)
          for (const input of inputs) {
            if (!expression.test(input)) continue
            for (const texts of required) {
              assert.ok(
                texts.some((needed) => input.toLowerCase().includes(needed)),
                `${source} matches ${JSON.stringify(input)}, which has none of ${JSON.stringify(texts)}`,
              )
            }
          }
        },
      ),
      { numRuns: 2000 },
    )
  })
})
