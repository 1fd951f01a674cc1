import assert from 'node:assert/strict'
import { test } from 'node:test'
import { markdown, table } from './figure-tables.ts'
import { figure, isMet } from './figures.ts'

const MACHINE = { node: 'v24.0.0', cores: 2, processor: 'a processor', loadBefore: 0.5 }

test('a figure is the median of its values with their range', () => {
  assert.deepEqual(figure('x', [3, 1, 2]), { what: 'x', median: 2, min: 1, max: 3 })
  assert.deepEqual(figure('x', [4, 1, 2, 3], '>= 2'), {
    what: 'x',
    median: 2.5,
    min: 1,
    max: 4,
    target: '>= 2',
  })
})

for (const { target, median, met } of [
  { target: '>= 0.8', median: 0.8, met: true },
  { target: '>= 0.8', median: 0.799, met: false },
  { target: '<= 400', median: 400, met: true },
  { target: '<= 400', median: 400.1, met: false },
  { target: '<= 400', median: Number.NaN, met: false },
  { target: '>= 0', median: Number.NaN, met: false },
] as const) {
  test(`a median of ${median} ${met ? 'meets' : 'does not meet'} ${target}`, () => {
    assert.equal(isMet(figure('x', [median], target)), met)
  })
}

test('what has no target neither meets nor misses it', () => {
  assert.equal(isMet(figure('x', [1])), undefined)
})

test('the table shows each figure beside its target', () => {
  const figures = [figure('of raw', [0.5], '>= 0.8'), figure('a second', [12_345.6])]
  assert.equal(
    table([{ scenario: 'empty', figures }]),
    [
      'scenario  figure    median    min    max  target  met',
      'empty     of raw     0.500  0.500  0.500  >= 0.8  no',
      '          a second   12346  12346  12346',
    ].join('\n'),
  )
})

test('the Markdown shows what has a target, and of a scenario without targets the first figure', () => {
  const results = [
    { scenario: 'empty', figures: [figure('a second', [1]), figure('of raw', [0.9, 0.8, 1], '>= 0.8')] },
    { scenario: 'endpoint', figures: [figure('of raw', [0.5]), figure('a second', [2])] },
  ]
  assert.equal(
    markdown(results, MACHINE),
    [
      '| scenario | figure | median | range | target | met |',
      '| --- | --- | ---: | --- | --- | --- |',
      '| `empty` | of raw | 0.900 | 0.800 to 1.000 | ≥ 0.8 | yes |',
      '| `endpoint` | of raw | 0.500 |  |  |  |',
      '',
      '2 cores (a processor), Node.js v24.0.0; load of the machine before: 0.50',
    ].join('\n'),
  )
})
