/** Goes through a simulation on a thread whose memory is limited, and says how many reports there were. */
import { parentPort } from 'node:worker_threads'
import { simulate } from '../../src/simulator/simulate.ts'
import { NO_ATTACKS, optionsWith } from './simulation.ts'

let count = 0
for (const { t } of simulate(optionsWith({ users: 100, days: 366, attacks: NO_ATTACKS })).reports) {
  count += t > 0 ? 1 : 0
}
parentPort?.postMessage(count)
