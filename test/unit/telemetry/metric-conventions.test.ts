/** Prometheus' conventions for metrics, as promtool checks them, for every metric of ours. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createMetrics } from '../../../src/telemetry/metrics.ts'
import { NO_SOURCES } from '../../support/metric-sources.ts'

/** The reference's names, which are kept as they are. */
const OF_THE_REFERENCE = new Set(['trackalert_active_http_connections', 'trackalert_web_queue_size'])
/** Labels whose values are a closed set, or names in the configuration. */
const BOUNDED_LABELS = new Set(
  'cmd code database function id metric node reason receiver resolver rule severity sink state status to type url version'.split(
    ' ',
  ),
)
/** What Prometheus measures in; other units are these times a power of ten. */
const FOREIGN_UNITS =
  /_(?:ms|millis|milliseconds|micros|minutes|hours|days|kb|kib|mb|mib|kilobytes|megabytes|percent)(?:_|$)/

const { registry } = createMetrics(NO_SOURCES)
const metrics = registry.getMetricsAsArray().filter(({ name }) => name.startsWith('trackalert_'))

assert.ok(metrics.length > 30)
for (const metric of metrics) {
  describe(metric.name, () => {
    const { name } = metric
    const labels: readonly string[] =
      'labelNames' in metric && Array.isArray(metric.labelNames) ? metric.labelNames : []

    test('says in a sentence what it is', () => {
      assert.ok('help' in metric && typeof metric.help === 'string')
      assert.match(metric.help, /^[A-Z].*[^.]\.$/)
    })

    test('has a name of the usual form', async () => {
      const { type } = (await registry.getSingleMetric(name)?.get()) ?? assert.fail()
      assert.match(name, /^[a-z][a-z0-9]*(?:_[a-z0-9]+)+$/)
      assert.equal(
        name.endsWith('_total'),
        String(type) === 'counter',
        'counters, and they alone, end in _total',
      )
      assert.doesNotMatch(name, /_(?:count|sum|bucket|info_total)$/)
      assert.doesNotMatch(name, FOREIGN_UNITS)
      if (!OF_THE_REFERENCE.has(name) && String(type) === 'histogram')
        assert.match(name, /_(?:seconds|bytes)$/)
      if (/_(?:duration|age|cpu)_/.test(name)) assert.match(name, /_seconds(?:_total)?$/)
    })

    test('has labels whose values are bounded', () => {
      for (const label of labels) assert.ok(BOUNDED_LABELS.has(label), label)
    })
  })
}

test('a scrape can be taken, and shows each metric with its type', async () => {
  const text = await registry.metrics()
  for (const { name } of metrics)
    assert.match(text, new RegExp(`^# HELP ${name} .+\\n# TYPE ${name} \\w+$`, 'm'))
})
