import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import fc from 'fast-check'
import { lineChart, niceTicks } from './line-chart.ts'
import { scalingCharts, type ScalingRun } from './scaling-report.ts'

const DOCS = new URL('../../docs/', import.meta.url)
const skip = existsSync(new URL('scaling.json', DOCS)) ? false : 'docs/scaling.json is not there'

const positive = fc.double({ min: 1e-6, max: 1e9, noNaN: true })

test('ticks begin with 0, stand equally far apart, are few, and the last one is just not below the largest value', () => {
  fc.assert(
    fc.property(positive, (largest) => {
      const ticks = niceTicks(largest)
      const [zero, step = 0] = ticks
      const last = ticks.at(-1) ?? 0
      assert.equal(zero, 0)
      assert.ok(ticks.length >= 2 && ticks.length <= 7, `${ticks.length} ticks`)
      assert.ok(last >= largest * (1 - 1e-9) && last - step < largest * (1 + 1e-9), ticks.join(' '))
      for (const [index, tick] of ticks.entries()) assert.ok(Math.abs(tick - index * step) <= step * 1e-9)
      assert.match(step.toExponential(), /^[125]e/)
    }),
  )
})

test('what was not measured still gives an axis', () => {
  for (const largest of [0, -1, Number.NaN, Number.POSITIVE_INFINITY])
    assert.deepEqual(niceTicks(largest), [0, 1])
})

test('every point lies between the axes, larger values higher and further to the right', () => {
  const points = fc.uniqueArray(fc.tuple(positive, positive), {
    minLength: 1,
    maxLength: 8,
    selector: ([x]) => x,
  })
  fc.assert(
    fc.property(points, (pairs) => {
      const sorted = pairs.toSorted(([a], [b]) => a - b).map(([x, y]) => ({ x, y, low: y, high: y }))
      const marks = marksOf(chartOf('a line', sorted))
      assert.equal(marks.length, sorted.length)
      for (const [index, { x, y }] of marks.entries()) {
        assert.ok(x >= 80 && x <= 690 && y >= 79.9 && y <= 365.1, `${x} ${y}`)
        const before = marks[index - 1]
        const valueBefore = sorted[index - 1]?.y ?? 0
        if (before === undefined) continue
        assert.ok(before.x <= x)
        if (valueBefore < (sorted[index]?.y ?? 0)) assert.ok(before.y >= y)
      }
    }),
  )
})

test('equal factors are equal distances', () => {
  const point = (x: number) => ({ x, y: 1, low: 1, high: 1 })
  const [a, b, c] = marksOf(chartOf('a line', [point(10), point(1000), point(100_000)]))
  assert.ok(a !== undefined && b !== undefined && c !== undefined)
  assert.ok(Math.abs(b.x - a.x - (c.x - b.x)) <= 0.2)
})

test('a name cannot break the file', () => {
  const svg = chartOf('<script>&', [{ x: 1, y: 1, low: 1, high: 1 }])
  assert.ok(svg.includes('&lt;script&gt;&amp;'))
  assert.ok(!svg.includes('<script'))
})

test('a dark page has colours of its own', () => {
  assert.match(chartOf('a line', []), /@media \(prefers-color-scheme:dark\)\{\.paper\{fill:#0d1117\}/)
})

test('the charts in docs are those of docs/scaling.json', { skip }, async () => {
  const run = JSON.parse(await readFile(new URL('scaling.json', DOCS), 'utf8')) as ScalingRun
  for (const [name, svg] of scalingCharts(run)) {
    assert.equal(
      await readFile(new URL(name, DOCS), 'utf8'),
      svg,
      `${name}: npm run bench:scaling -- --from=docs/scaling.json draws it again`,
    )
  }
})

function chartOf(
  name: string,
  points: readonly { readonly x: number; readonly y: number; readonly low: number; readonly high: number }[],
): string {
  return lineChart({ title: 'T', xTitle: 'x', yTitle: 'y', note: 'n', lines: [{ name, points }] })
}

/** But for the one of the legend, which comes last. */
function marksOf(svg: string): readonly { readonly x: number; readonly y: number }[] {
  const all = Array.from(svg.matchAll(/<circle class="mark0" cx="([^"]+)" cy="([^"]+)"/g), ([, x, y]) => ({
    x: Number(x),
    y: Number(y),
  }))
  return all.slice(0, -1)
}
