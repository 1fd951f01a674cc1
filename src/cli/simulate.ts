/**
 * `trackalert simulate`: made-up reports as lines of JSON, no faster than whoever reads them takes them. Main thread of the
 * command.
 */
import { createWriteStream } from 'node:fs'
import type { Writable } from 'node:stream'
import { messageOf } from '../errors.ts'
import { simulate, type SimulationOptions } from '../simulator/simulate.ts'
import { EXIT, type ExitStatus } from './exit-status.ts'
import type { SimulateChoice } from './simulate-options.ts'

/** Characters that are written at once: a line at a time costs more than making it. */
const CHUNK_LENGTH = 65_536

interface SimulateDeps {
  readonly output: Writable
  readonly writeError: (text: string) => void
}

/** @returns 0 when everything was written or nobody reads it any more, 1 when the file could not be written. */
export async function writeSimulation(
  { simulation, outputFile }: SimulateChoice,
  { output, writeError }: SimulateDeps,
): Promise<ExitStatus> {
  const { reports, attacks } = simulate(simulation)
  for (const sentence of missingAttacks(simulation, attacks)) writeError(`${sentence}\n`)
  const target = outputFile === undefined ? output : openFile(outputFile)
  await writeLines(reports, target)
  if (outputFile !== undefined) await ended(target)
  const { errored } = target
  // Such as head, which has seen enough.
  if (errored === null || ('code' in errored && errored.code === 'EPIPE')) return EXIT.ok
  writeError(`cannot write ${outputFile ?? 'standard output'}: ${messageOf(errored)}\n`)
  return EXIT.failed
}

/** What goes wrong with it is in `errored`. */
function openFile(path: string): Writable {
  return createWriteStream(path).on('error', () => undefined)
}

async function writeLines(reports: Iterable<unknown>, output: Writable): Promise<void> {
  let chunk = ''
  for (const report of reports) {
    chunk += `${JSON.stringify(report)}\n`
    if (chunk.length < CHUNK_LENGTH) continue
    if (!(await write(output, chunk))) return
    chunk = ''
  }
  if (chunk !== '') await write(output, chunk)
}

/** @returns false when it takes nothing any more. */
async function write(output: Writable, chunk: string): Promise<boolean> {
  if (!output.writable) return false
  if (!output.write(chunk)) await oneOf(output, ['drain', 'error', 'close'])
  return output.writable
}

async function ended(output: Writable): Promise<void> {
  if (output.closed) return
  const closed = oneOf(output, ['close'])
  output.end()
  await closed
}

/** The first of some events; an error is one as well, and `errored` keeps it. */
function oneOf(output: Writable, events: readonly string[]): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      for (const event of events) output.off(event, done)
      resolve()
    }
    for (const event of events) output.on(event, done)
  })
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
