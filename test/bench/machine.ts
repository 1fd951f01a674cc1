/**
 * What a measurement says of the machine that it took place on.
 */
import { cpus, loadavg } from 'node:os'

export interface Machine {
  readonly node: string
  readonly cores: number
  readonly processor: string
  /** Tasks that wanted a processor, on average of the minute before. */
  readonly loadBefore: number
}

export function machineHere(): Machine {
  const processors = cpus()
  return {
    node: process.version,
    cores: processors.length,
    processor: processors[0]?.model ?? 'unknown',
    loadBefore: loadavg()[0] ?? 0,
  }
}

export function machineText({ cores, processor, node, loadBefore }: Machine): string {
  return `${cores} cores (${processor}), Node.js ${node}; load of the machine before: ${loadBefore.toFixed(2)}`
}
