/**
 * `trackalert simulate`: made-up reports as lines of JSON, no faster than whoever reads them takes them. Main thread of the
 * command.
 */
import { createWriteStream } from 'node:fs'
import type { Writable } from 'node:stream'
import { setImmediate as nextTurn } from 'node:timers/promises'
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

/** @returns 0 when everything was written or nobody reads it any more, 1 when it could not be written. */
export async function writeSimulation(
  { simulation, outputFile }: SimulateChoice,
  { output, writeError }: SimulateDeps,
): Promise<ExitStatus> {
  const { reports, attacks } = simulate(simulation)
  for (const sentence of missingAttacks(simulation, attacks)) writeError(`${sentence}\n`)
  const target = outputFile === undefined ? output : createWriteStream(outputFile)
  const sink = new Sink(target)
  await writeLines(reports, sink)
  if (outputFile !== undefined) await sink.end()
  const { failure } = sink
  // Such as head, which has seen enough.
  if (failure === undefined || ('code' in failure && failure.code === 'EPIPE')) return EXIT.ok
  writeError(`cannot write ${outputFile ?? 'standard output'}: ${messageOf(failure)}\n`)
  return EXIT.failed
}

/** A stream that is written to as fast as it takes it, until something goes wrong. */
class Sink {
  readonly #output: Writable
  #failure: Error | undefined

  constructor(output: Writable) {
    this.#output = output
    // Standard output stays writable after an error and does not keep it.
    output.on('error', (error) => (this.#failure ??= error))
  }

  get failure(): Error | undefined {
    return this.#failure
  }

  async write(chunk: string): Promise<void> {
    if (!this.#output.write(chunk)) await this.#oneOf(['drain', 'error', 'close'])
    // A pipe or a file may take it at once and say a turn later that it did not; signals wait for a turn as well.
    await nextTurn()
  }

  async end(): Promise<void> {
    if (this.#output.closed) return
    const closed = this.#oneOf(['close'])
    this.#output.end()
    await closed
  }

  #oneOf(events: readonly string[]): Promise<void> {
    const output = this.#output
    return new Promise((resolve) => {
      const done = (): void => {
        for (const event of events) output.off(event, done)
        resolve()
      }
      for (const event of events) output.on(event, done)
    })
  }
}

async function writeLines(reports: Iterable<unknown>, sink: Sink): Promise<void> {
  let chunk = ''
  for (const report of reports) {
    chunk += `${JSON.stringify(report)}\n`
    if (chunk.length < CHUNK_LENGTH) continue
    await sink.write(chunk)
    if (sink.failure !== undefined) return
    chunk = ''
  }
  if (chunk !== '') await sink.write(chunk)
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
