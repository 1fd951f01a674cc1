/**
 * A thread that reads trends without end, until it is terminated or told to close. Says `reading` after its first view and
 * `closed` at the end.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { openTrendReader, type TrendReaderSetup } from '../../src/store/embedded/trend-reader.ts'
import { textToBytes } from './text-bytes.ts'

const reader = await openTrendReader(workerData as TrendReaderSetup)
const closing = new AbortController()
parentPort?.once('message', () => closing.abort())
for (let turn = 0; !closing.signal.aborted; turn++) {
  const view = await reader.openView()
  for (let key = 0; key < 50; key++) await view.readRow('d', textToBytes(`k${key}`))
  // Some views stay open when the thread is terminated.
  if (turn % 10 !== 9) view.close()
  if (turn === 20) parentPort?.postMessage('reading')
  await new Promise((resolve) => setImmediate(resolve))
}
await reader.close()
parentPort?.postMessage('closed')
