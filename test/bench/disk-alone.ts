/**
 * How long acknowledgements would take if there were nothing but the disk: reports come at the server's rate, are written behind
 * one file, those that came meanwhile together, and synced. No server that acknowledges what is on disk can be faster there.
 */
import { closeSync, fdatasync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { makeBenchFolder, removeBenchFolder } from './bench-processes.ts'
import { percentiles, type Percentiles } from './percentiles.ts'

/** What the server writes for each, with a policy that does nothing. */
const REPORT_BYTES = 330
const syncData = promisify(fdatasync)

/** Milliseconds from when each report came until it was on disk. */
export async function measureDiskAlone(reports: number, reportsPerSecond: number): Promise<Percentiles> {
  const folder = await makeBenchFolder()
  const file = openSync(join(folder, 'reports'), 'w')
  const latencies = new Float64Array(reports)
  const startMs = performance.now()
  const dueAtMs = (report: number): number => startMs + (report * 1000) / reportsPerSecond
  try {
    for (let done = 0; done < reports;) {
      const come = Math.min(reports, Math.floor(((performance.now() - startMs) * reportsPerSecond) / 1000))
      if (come <= done) {
        await sleep(1)
        continue
      }
      writeSync(file, Buffer.alloc((come - done) * REPORT_BYTES, 'x'))
      await syncData(file)
      const nowMs = performance.now()
      for (; done < come; done++) latencies[done] = nowMs - dueAtMs(done)
    }
  } finally {
    closeSync(file)
    await removeBenchFolder(folder)
  }
  return percentiles(latencies)
}
