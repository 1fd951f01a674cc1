/**
 * Lines over a logarithmic axis as an SVG, readable on light and on dark pages and without colours. Pure.
 */

export interface ChartPoint {
  /** Above 0. */
  readonly x: number
  readonly y: number
  /** The range in which y was measured. */
  readonly low: number
  readonly high: number
}

export interface ChartLine {
  readonly name: string
  readonly points: readonly ChartPoint[]
}

export interface Chart {
  readonly title: string
  /** With its unit. */
  readonly xTitle: string
  readonly yTitle: string
  /** Small, below everything. */
  readonly note: string
  /** At most as many as there are colours, which are four. */
  readonly lines: readonly ChartLine[]
}

const WIDTH = 720
const HEIGHT = 450
/** Of the part between the axes. */
const LEFT = 80
const RIGHT = 690
const TOP = 80
const BOTTOM = 365
const LEGEND_Y = 54
const LEGEND_STEP = 165
const MARK = 4
/** Ticks of the y axis are at most this many. */
const MOST_TICKS = 6

interface Theme {
  readonly paper: string
  readonly ink: string
  readonly grid: string
  readonly lines: readonly string[]
}

const LIGHT: Theme = {
  paper: '#ffffff',
  ink: '#1f2328',
  grid: '#d8dee4',
  lines: ['#0550ae', '#b35900', '#116329', '#8250df'],
}
const DARK: Theme = {
  paper: '#0d1117',
  ink: '#e6edf3',
  grid: '#30363d',
  lines: ['#79c0ff', '#ffa657', '#7ee787', '#d2a8ff'],
}
/** A line is told from the others by its dashes too. */
const DASHES = ['none', '8 4', '2 3', '10 3 2 3'] as const

/** The text of an SVG file. */
export function lineChart(chart: Chart): string {
  const scale = scaleOf(chart)
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img">`,
    `<title>${escaped(chart.title)}</title>`,
    styleOf(),
    `<rect class="paper" width="${WIDTH}" height="${HEIGHT}"/>`,
    text({ x: WIDTH / 2, y: 26, classes: 'title middle' }, chart.title),
    text({ x: LEFT, y: HEIGHT - 12, classes: 'note' }, chart.note),
    ...axes(chart, scale),
    ...chart.lines.flatMap((line, index) => [...drawnLine(line, index, scale), ...legendOf(line, index)]),
    '</svg>',
    '',
  ].join('\n')
}

interface Scale {
  readonly xs: readonly number[]
  readonly ticks: readonly number[]
  readonly toX: (value: number) => number
  readonly toY: (value: number) => number
}

function scaleOf({ lines }: Chart): Scale {
  const points = lines.flatMap((line) => line.points)
  const xs = [...new Set(points.map(({ x }) => x))].toSorted((a, b) => a - b)
  const [first = 1] = xs
  const span = Math.log((xs.at(-1) ?? first) / first) || 1
  const ticks = niceTicks(Math.max(...points.map(({ y, high }) => Math.max(y, high))))
  const top = ticks.at(-1) ?? 1
  return {
    xs,
    ticks,
    toX: (value) => LEFT + 20 + ((RIGHT - LEFT - 40) * Math.log(value / first)) / span,
    toY: (value) => BOTTOM - ((BOTTOM - TOP) * value) / top,
  }
}

/** From 0 to a round number that is not below the largest value, in steps of 1, 2 or 5 of a power of ten. */
export function niceTicks(largest: number): readonly number[] {
  if (!(largest > 0) || !Number.isFinite(largest)) return [0, 1]
  const power = 10 ** Math.floor(Math.log10(largest / (MOST_TICKS - 1)))
  const factor = [1, 2, 5, 10].find((step) => largest <= step * power * (MOST_TICKS - 1)) ?? 10
  const count = Math.ceil(largest / (factor * power))
  // Through text, since 3 * 0.1 is not 0.3.
  return Array.from({ length: count + 1 }, (_, index) => Number((index * factor * power).toPrecision(12)))
}

function axes({ xTitle, yTitle }: Chart, { xs, ticks, toX, toY }: Scale): readonly string[] {
  const middle = (TOP + BOTTOM) / 2
  return [
    ...ticks.map((tick) => `<path class="grid" d="M${LEFT} ${round(toY(tick))}H${RIGHT}"/>`),
    ...ticks.map((tick) => text({ x: LEFT - 8, y: toY(tick) + 4, classes: 'end' }, numeral(tick))),
    `<path class="axis" d="M${LEFT} ${TOP}V${BOTTOM}H${RIGHT}"/>`,
    ...xs.map((x) => `<path class="axis" d="M${round(toX(x))} ${BOTTOM}v5"/>`),
    ...xs.map((x) => text({ x: toX(x), y: BOTTOM + 21, classes: 'middle' }, numeral(x))),
    text({ x: (LEFT + RIGHT) / 2, y: BOTTOM + 46, classes: 'middle' }, xTitle),
    `<g transform="translate(20 ${middle}) rotate(-90)">${text({ x: 0, y: 0, classes: 'middle' }, yTitle)}</g>`,
  ]
}

function drawnLine({ points }: ChartLine, index: number, { toX, toY }: Scale): readonly string[] {
  const places = points.map(({ x, y }) => `${round(toX(x))} ${round(toY(y))}`)
  return [
    `<path class="line${index}" d="M${places.join('L')}"/>`,
    ...points.map(
      ({ x, low, high }) =>
        `<path class="range${index}" d="M${round(toX(x))} ${round(toY(low))}V${round(toY(high))}"/>`,
    ),
    ...points.map(({ x, y }) => mark(index, toX(x), toY(y))),
  ]
}

function legendOf({ name }: ChartLine, index: number): readonly string[] {
  const x = LEFT + index * LEGEND_STEP
  return [
    `<path class="line${index}" d="M${x} ${LEGEND_Y}h34"/>`,
    mark(index, x + 17, LEGEND_Y),
    text({ x: x + 42, y: LEGEND_Y + 4, classes: '' }, name),
  ]
}

function mark(index: number, x: number, y: number): string {
  return `<circle class="mark${index}" cx="${round(x)}" cy="${round(y)}" r="${MARK}"/>`
}

interface TextPlace {
  readonly x: number
  readonly y: number
  readonly classes: string
}

function text({ x, y, classes }: TextPlace, content: string): string {
  const attribute = classes === '' ? '' : ` class="${classes}"`
  return `<text${attribute} x="${round(x)}" y="${round(y)}">${escaped(content)}</text>`
}

/** A page's own colours are not known inside an image: it goes by what the reader has asked for. */
function styleOf(): string {
  const shapes = DASHES.map(
    (dash, index) =>
      `.line${index}{fill:none;stroke-width:2;stroke-dasharray:${dash}}.range${index}{stroke-width:1}`,
  )
  return `<style>
text{font:13px system-ui,sans-serif}.title{font-size:15px;font-weight:600}.note{font-size:11px}.middle{text-anchor:middle}.end{text-anchor:end}
.axis{fill:none}${shapes.join('')}
${themeRules(LIGHT)}
@media (prefers-color-scheme:dark){${themeRules(DARK)}}
</style>`
}

function themeRules({ paper, ink, grid, lines }: Theme): string {
  const ofLines = lines.map(
    (colour, index) => `.line${index},.range${index}{stroke:${colour}}.mark${index}{fill:${colour}}`,
  )
  return `.paper{fill:${paper}}text{fill:${ink}}.axis{stroke:${ink}}.grid{stroke:${grid}}${ofLines.join('')}`
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}

function numeral(value: number): string {
  return value.toLocaleString('en-US')
}

function escaped(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
