/**
 * `npm run bench`: measures the real server and prints a table; JSON goes to bench.json, or where --json says.
 *
 *   npm run bench                    everything, about ten minutes
 *   npm run bench -- empty start     these scenarios
 *   npm run bench -- --quick         everything, only to see that it works
 *   npm run bench -- --rounds=9      more rounds
 */
import { writeFile } from 'node:fs/promises'
import { cpus, loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { LoadClient } from './bench-processes.ts'
import { table, type ScenarioFigures } from './figures.ts'
import { SCENARIOS } from './scenarios.ts'
import type { Effort } from './throughput.ts'

const QUICK: Effort = { rounds: 1, warmUpRequests: 50, requests: 200 }
const FULL: Effort = { rounds: 5, warmUpRequests: 20_000, requests: 20_000 }

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    json: { type: 'string', default: 'bench.json' },
  },
})

const unknown = positionals.filter((name) => SCENARIOS[name] === undefined)
if (unknown.length > 0) {
  throw new Error(`no scenario ${unknown.join(', ')}; there are ${Object.keys(SCENARIOS).join(', ')}`)
}

const effort = values.quick ? QUICK : { ...FULL, ...(values.rounds && { rounds: Number(values.rounds) }) }
const client = new LoadClient()
const results: ScenarioFigures[] = []
try {
  for (const name of positionals.length > 0 ? positionals : Object.keys(SCENARIOS)) {
    const measure = SCENARIOS[name]
    if (measure === undefined) continue
    process.stderr.write(`${name} …\n`)
    results.push({ scenario: name, figures: await measure(client, effort) })
  }
} finally {
  client.close()
}
const machine = {
  node: process.version,
  cores: cpus().length,
  processor: cpus()[0]?.model,
  load: loadavg()[0],
}
await writeFile(values.json, `${JSON.stringify({ machine, effort, results }, undefined, 2)}\n`)
process.stdout.write(`${table(results)}\n`)
