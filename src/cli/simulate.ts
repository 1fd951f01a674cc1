/**
 * `trackalert simulate`: made-up reports as lines of JSON, no faster than whoever reads them takes them. Main thread of the
 * command.
 */
import { createWriteStream } from 'node:fs'
import type { Writable } from 'node:stream'
import { simulate, type SimulationOptions } from '../simulator/simulate.ts'
import { EXIT, type ExitStatus } from './exit-status.ts'
import { PacedOutput } from './paced-output.ts'
import type { SimulateChoice } from './simulate-options.ts'

/** Characters that are written at once: a line at a time costs more than making it. */
const CHUNK_LENGTH = 65_536

interface SimulateDeps {
  readonly output: Writable
  readonly writeError: (text: string) => void
}

/** @returns 0 when everything was written or nobody reads it any more, 1 when it could not be written. */
export async function writeSimulation(
  { simulation, outputFile }: SimulateChoice,
  { output, writeError }: SimulateDeps,
): Promise<ExitStatus> {
  const { reports, attacks } = simulate(simulation)
  for (const sentence of missingAttacks(simulation, attacks)) writeError(`${sentence}\n`)
  const target = outputFile === undefined ? output : createWriteStream(outputFile)
  const paced = new PacedOutput(target)
  await writeLines(reports, paced)
  if (outputFile !== undefined) await paced.end()
  const complaint = paced.complaint(outputFile)
  if (complaint === undefined) return EXIT.ok
  writeError(`${complaint}\n`)
  return EXIT.failed
}

async function writeLines(reports: Iterable<unknown>, output: PacedOutput): Promise<void> {
  let chunk = ''
  for (const report of reports) {
    chunk += `${JSON.stringify(report)}\n`
    if (chunk.length < CHUNK_LENGTH) continue
    await output.write(chunk)
    if (output.failure !== undefined) return
    chunk = ''
  }
  if (chunk !== '') await output.write(chunk)
}

/** Fewer attacks than asked for would otherwise only be noticed in the results. */
function missingAttacks(
  { attacks: { types, instances } }: SimulationOptions,
  planned: readonly (typeof types)[number][],
): readonly string[] {
  return types.flatMap((type) => {
    const count = planned.filter((name) => name === type).length
    return count === instances
      ? []
      : [`only ${count} of ${instances} attacks of type ${type}: too few people fit; give more --users`]
  })
}
