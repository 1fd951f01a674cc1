/**
 * `npm run bench`: measures the real server and prints a table; JSON goes to bench.json, or where --json says.
 *
 *   npm run bench                          everything, about twenty minutes
 *   npm run bench -- empty start           these scenarios
 *   npm run bench -- --quick               everything, only to see that it works
 *   npm run bench -- --rounds=9            more rounds
 *   npm run bench -- --markdown            the figures that have targets, as a table for a document
 *   npm run bench -- --from=bench.json     measures nothing: the table of an earlier run
 */
import { readFile, writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { LoadClient } from './bench-processes.ts'
import { countOption } from './count-option.ts'
import { markdown, table } from './figure-tables.ts'
import type { ScenarioFigures } from './figures.ts'
import { machineHere, type Machine } from './machine.ts'
import { SCENARIOS } from './scenarios.ts'
import type { Effort } from './turns.ts'

const QUICK: Effort = { rounds: 1, warmUpRequests: 50, requests: 200, keys: 2_048 }
const FULL: Effort = { rounds: 5, warmUpRequests: 20_000, requests: 20_000, keys: 1_000_000 }

interface BenchRun {
  readonly machine: Machine
  readonly effort: Effort
  readonly results: readonly ScenarioFigures[]
}

async function measure(names: readonly string[], effort: Effort): Promise<BenchRun> {
  const machine = machineHere()
  const client = new LoadClient()
  const results: ScenarioFigures[] = []
  try {
    for (const scenario of names) {
      process.stderr.write(`${scenario} …\n`)
      const figures = await SCENARIOS[scenario]?.(client, effort)
      if (figures === undefined) throw new Error(`no scenario ${scenario}`)
      results.push({ scenario, figures })
    }
  } finally {
    client.close()
  }
  return { machine, effort, results }
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    markdown: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    json: { type: 'string', default: 'bench.json' },
    from: { type: 'string' },
  },
})

const unknown = positionals.filter((name) => SCENARIOS[name] === undefined)
if (unknown.length > 0) {
  throw new Error(`no scenario ${unknown.join(', ')}; there are ${Object.keys(SCENARIOS).join(', ')}`)
}

let run
if (values.from === undefined) {
  const effort = values.quick ? QUICK : { ...FULL, rounds: countOption('rounds', values.rounds, FULL.rounds) }
  run = await measure(positionals.length > 0 ? positionals : Object.keys(SCENARIOS), effort)
  await writeFile(values.json, `${JSON.stringify(run, undefined, 2)}\n`)
} else {
  run = JSON.parse(await readFile(values.from, 'utf8')) as BenchRun
}
process.stdout.write(`${values.markdown ? markdown(run.results, run.machine) : table(run.results)}\n`)
