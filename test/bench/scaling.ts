/**
 * `npm run bench:scaling`: cost against size. Measures policies with 1, 2 and 4 workers, and the 7-operation policy with
 * more and more trend keys; prints a table and writes JSON and charts to docs.
 *
 *   npm run bench:scaling                                  10^3 to 10^7 keys, about half an hour
 *   npm run bench:scaling -- --largest=1000000             up to 10^6: half of that
 *   npm run bench:scaling -- --requests=8000               fewer requests: faster, and less exact
 *   npm run bench:scaling -- --quick --to=FOLDER           only to see that it works
 *   npm run bench:scaling -- --from=docs/scaling.json      measures nothing: table and charts of an earlier run
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { LoadClient, makeBenchFolder, removeBenchFolder } from './bench-processes.ts'
import { countOption } from './count-option.ts'
import { machineHere } from './machine.ts'
import { fillState } from './many-keys.ts'
import { POLICIES } from './policies.ts'
import { scalingCharts, scalingTable, type ScalingPoint, type ScalingRun } from './scaling-report.ts'
import { measureThroughput, type Workload } from './throughput.ts'
import type { Effort } from './turns.ts'

const DOCS = fileURLToPath(new URL('../../docs', import.meta.url))
const LEAST_KEYS = 1_000
const MOST_KEYS = 10_000_000
const FULL = { rounds: 3, warmUpRequests: 10_000, requests: 20_000, workers: [1, 2, 4] } as const
const QUICK = { rounds: 1, warmUpRequests: 50, requests: 200, workers: [1] } as const

const BY_WORKERS: Readonly<Record<string, Workload>> = {
  empty: { policy: POLICIES.empty },
  'seven-ops': { policy: POLICIES.sevenOperations },
  'policy-pack': { policy: POLICIES.policyPack(), body: 'simulated' },
}

type Measured = Omit<Effort, 'keys'> & { readonly workers: readonly number[] }

async function measurePoint(
  client: LoadClient,
  effort: Measured,
  place: Omit<ScalingPoint, 'figures'>,
  load: Workload,
): Promise<ScalingPoint> {
  process.stderr.write(`${JSON.stringify(place)} …\n`)
  const policy = `${load.policy}\nsetNumLuaStates(${place.workers})\n`
  return { ...place, figures: await measureThroughput(client, effort, { ...load, policy }) }
}

async function measureWorkers(client: LoadClient, effort: Measured): Promise<readonly ScalingPoint[]> {
  const points: ScalingPoint[] = []
  for (const [scenario, load] of Object.entries(BY_WORKERS)) {
    for (const workers of effort.workers) {
      points.push(await measurePoint(client, effort, { scenario, workers }, load))
    }
  }
  return points
}

/** One state for all numbers of workers: they change its rows, and not how many there are. */
async function measureKeys(
  client: LoadClient,
  effort: Measured,
  keys: number,
): Promise<readonly ScalingPoint[]> {
  const folder = await makeBenchFolder()
  const points: ScalingPoint[] = []
  try {
    await fillState(client, folder, keys)
    for (const workers of effort.workers) {
      const load = { policy: POLICIES.sevenOperationsOn(keys), body: 'any-key', keys, folder } as const
      points.push(await measurePoint(client, effort, { scenario: 'seven-ops', workers, keys }, load))
    }
  } finally {
    await removeBenchFolder(folder)
  }
  return points
}

async function measure(effort: Measured, largest: number): Promise<ScalingRun> {
  const machine = machineHere()
  const client = new LoadClient()
  try {
    const points = [...(await measureWorkers(client, effort))]
    for (let keys = LEAST_KEYS; keys <= largest; keys *= 10)
      points.push(...(await measureKeys(client, effort, keys)))
    return { machine, points }
  } finally {
    client.close()
  }
}

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    requests: { type: 'string' },
    largest: { type: 'string' },
    from: { type: 'string' },
    to: { type: 'string', default: DOCS },
  },
})

await mkdir(values.to, { recursive: true })
let run
if (values.from === undefined) {
  const requests = countOption('requests', values.requests, FULL.requests)
  const effort = { ...FULL, requests, warmUpRequests: Math.min(requests, FULL.warmUpRequests) }
  run = await measure(values.quick ? QUICK : effort, countOption('largest', values.largest, MOST_KEYS))
  await writeFile(join(values.to, 'scaling.json'), `${JSON.stringify(run, undefined, 2)}\n`)
} else {
  run = JSON.parse(await readFile(values.from, 'utf8')) as ScalingRun
}
for (const [name, svg] of scalingCharts(run)) await writeFile(join(values.to, name), svg)
process.stdout.write(`${scalingTable(run)}\n`)
