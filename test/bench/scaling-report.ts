/**
 * What a run of `npm run bench:scaling` found, as a table and as charts. Pure.
 */
import { alignedRows } from './figure-tables.ts'
import { numberText, type Figure } from './figures.ts'
import { lineChart, type Chart, type ChartPoint } from './line-chart.ts'
import { machineText, type Machine } from './machine.ts'

/** One measurement. */
export interface ScalingPoint {
  readonly scenario: string
  readonly workers: number
  /** Trend keys that were there; undefined where the scenario does not say how many. */
  readonly keys?: number
  readonly figures: readonly Figure[]
}

export interface ScalingRun {
  readonly machine: Machine
  readonly points: readonly ScalingPoint[]
}

const SPEED = 'of raw node:http'
const CPU = 'CPU, µs'
const MEMORY = 'own memory at most, MB'
const COLUMNS = [SPEED, 'a second', CPU, 'CPU, raw node:http, µs', MEMORY] as const

export function scalingTable({ points }: ScalingRun): string {
  const rows = points.map((point) => [
    point.scenario,
    String(point.workers),
    point.keys?.toLocaleString('en-US') ?? '',
    ...COLUMNS.map((what) => numberText(figureOf(point, what).median)),
  ])
  return alignedRows([['scenario', 'workers', 'keys', ...COLUMNS], ...rows], (column) => column > 0)
}

/** SVG files by name. */
export function scalingCharts({ machine, points }: ScalingRun): ReadonlyMap<string, string> {
  const byKeys = Map.groupBy(
    points.filter(({ keys }) => keys !== undefined),
    ({ workers }) => (workers === 1 ? '1 policy worker' : `${workers} policy workers`),
  )
  const byWorkers = Map.groupBy(
    points.filter(({ keys }) => keys === undefined),
    ({ scenario }) => scenario,
  )
  const note = machineText(machine)
  const ofKeys = (title: string, yTitle: string, what: string): string =>
    lineChart(
      chartOf({ title, xTitle: 'trend keys, logarithmic', yTitle, note }, byKeys, (point) => ({
        ...pointOf(figureOf(point, what)),
        x: point.keys ?? 1,
      })),
    )
  const speed = 'reports a second, raw node:http = 1'
  const ofWorkers = {
    title: 'Speed by number of policy workers',
    xTitle: 'policy workers',
    yTitle: speed,
    note,
  }
  return new Map([
    ['speed-by-keys.svg', ofKeys('The 7-operation policy: speed', speed, SPEED)],
    ['cpu-by-keys.svg', ofKeys('The 7-operation policy: processor time', 'µs per report, all threads', CPU)],
    ['memory-by-keys.svg', ofKeys('The 7-operation policy: memory', 'most memory of its own, MB', MEMORY)],
    [
      'speed-by-workers.svg',
      lineChart(
        chartOf(ofWorkers, byWorkers, (point) => ({ ...pointOf(figureOf(point, SPEED)), x: point.workers })),
      ),
    ],
  ])
}

function chartOf(
  titles: Omit<Chart, 'lines'>,
  groups: ReadonlyMap<string, readonly ScalingPoint[]>,
  toPoint: (point: ScalingPoint) => ChartPoint,
): Chart {
  return { ...titles, lines: Array.from(groups, ([name, points]) => ({ name, points: points.map(toPoint) })) }
}

function pointOf({ median, min, max }: Figure): Omit<ChartPoint, 'x'> {
  return { y: median, low: min, high: max }
}

function figureOf({ scenario, figures }: ScalingPoint, what: string): Figure {
  const found = figures.find((figure) => figure.what === what)
  if (found === undefined) throw new Error(`${scenario} has no figure ${what}`)
  return found
}
