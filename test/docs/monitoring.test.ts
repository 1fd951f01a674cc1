/** The dashboard and the alerting rules in conf/ against the metrics that there are. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import { createMetrics } from '../../src/telemetry/metrics.ts'
import { NO_SOURCES } from '../support/metric-sources.ts'

const read = (name: string): string =>
  readFileSync(fileURLToPath(new URL(`../../conf/${name}`, import.meta.url)), 'utf8')

/** Names as a query has them, with the labels that each may be asked for. */
async function knownSeries(): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const { registry } = createMetrics(NO_SOURCES)
  const known = new Map<string, ReadonlySet<string>>()
  for (const { name } of registry.getMetricsAsArray()) {
    const metric = registry.getSingleMetric(name)
    assert.ok(metric !== undefined)
    const { type } = await metric.get()
    const names: unknown = 'labelNames' in metric ? metric.labelNames : []
    // Those of the target are Prometheus' own.
    const labels = new Set(['job', 'instance', ...(Array.isArray(names) ? names.map(String) : [])])
    if (String(type) !== 'histogram') known.set(name, labels)
    else
      for (const part of ['bucket', 'sum', 'count']) known.set(`${name}_${part}`, new Set([...labels, 'le']))
  }
  known.set('up', new Set(['job', 'instance']))
  return known
}

const SERIES = /\b(?:trackalert|process|nodejs)_\w+|\bup\b/g

function assertKnown(expression: string, known: ReadonlyMap<string, ReadonlySet<string>>): void {
  const names = expression.match(SERIES) ?? []
  assert.ok(names.length > 0, expression)
  const allowed = new Set<string>()
  for (const name of names) {
    const labels = known.get(name)
    assert.ok(labels !== undefined, `${name} is no metric: ${expression}`)
    for (const label of labels) allowed.add(label)
  }
  const groups = Array.from(
    expression.matchAll(/\b(?:by|ignoring|on)\s*\(([^)]*)\)/g),
    ([, list = '']) => list,
  )
  const matchers = Array.from(expression.matchAll(/(\w+)\s*(?:=~|!~|!=|=)\s*"/g), ([, label = '']) => label)
  for (const label of [...groups.flatMap((list) => list.split(/\s*,\s*/)), ...matchers]) {
    assert.ok(allowed.has(label), `${label} is no label: ${expression}`)
  }
  assert.equal(expression.split('(').length, expression.split(')').length, expression)
}

interface Panel {
  readonly id: number
  readonly type: string
  readonly title: string
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[]
}

describe('conf/trackalert-dashboard.json', () => {
  const dashboard = JSON.parse(read('trackalert-dashboard.json')) as {
    readonly panels: readonly Panel[]
    readonly templating: { readonly list: readonly { readonly query: string }[] }
  }

  test('asks for metrics and labels that there are', async () => {
    const known = await knownSeries()
    for (const { title, type, targets = [] } of dashboard.panels) {
      assert.equal(targets.length > 0, type !== 'row', title)
      for (const { expr } of targets) assertKnown(expr.replaceAll('$__rate_interval', '5m'), known)
    }
    for (const { query } of dashboard.templating.list.slice(1)) {
      for (const name of query.match(SERIES) ?? []) assert.ok(known.has(name), query)
    }
  })

  test('names in its legends what the query groups by', () => {
    for (const { expr, legendFormat } of dashboard.panels.flatMap(({ targets = [] }) => targets)) {
      for (const [, label = ''] of legendFormat.matchAll(/\{\{(\w+)\}\}/g)) {
        assert.match(expr, new RegExp(`by \\([^)]*\\b${label}\\b`), legendFormat)
      }
    }
  })

  test('has a row for each part of the server, and panels that do not overlap', () => {
    const rows = dashboard.panels.filter(({ type }) => type === 'row').map(({ title }) => title)
    assert.deepEqual(rows, ['Reports and latency', 'Policy', 'Store', 'Delivery and alerts', 'Server'])
    assert.equal(new Set(dashboard.panels.map(({ id }) => id)).size, dashboard.panels.length)
    const taken = new Set<string>()
    for (const { title, gridPos } of dashboard.panels) {
      assert.ok(gridPos.x + gridPos.w <= 24, title)
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          assert.ok(!taken.has(`${x},${y}`), title)
          taken.add(`${x},${y}`)
        }
      }
    }
  })
})

describe('conf/trackalert-alerts.yml', () => {
  const { groups } = parse(read('trackalert-alerts.yml')) as {
    readonly groups: readonly {
      readonly rules: readonly {
        readonly alert: string
        readonly expr: string
        readonly labels: Readonly<Record<string, string>>
        readonly annotations: Readonly<Record<string, string>>
      }[]
    }[]
  }
  const rules = groups.flatMap((group) => group.rules)
  assert.ok(rules.length > 8)

  for (const { alert, expr, labels, annotations } of rules) {
    test(`${alert} asks for metrics and labels that there are, and says what to do`, async () => {
      assertKnown(expr, await knownSeries())
      assert.match(alert, /^Trackalert[A-Z]\w+$/)
      assert.ok(['warning', 'critical'].includes(labels['severity'] ?? ''))
      for (const text of [annotations['summary'], annotations['description']]) assert.match(text ?? '', /\.$/)
    })
  }
  test('no two rules have the same name', () => {
    assert.equal(new Set(rules.map(({ alert }) => alert)).size, rules.length)
  })
})
