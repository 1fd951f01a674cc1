/**
 * A process that is killed: it raises numbered alerts and has them told to a sink at once, each in a group of its own.
 * Arguments: state directory, first number.
 *
 *     a N    alert N is committed
 *     ready
 */
import { raise, raising } from './alert-fixtures.ts'
import { configOf, promptRoute, startAlertService } from './alert-rig.ts'
import { openStore } from './embedded-store.ts'

const BATCH = 5

const [stateDirectory = '', first = '0'] = process.argv.slice(2)

const { store } = await openStore(stateDirectory)
const { wake } = startAlertService(store.alerts, configOf([promptRoute({ groupBy: ['key'] })]))
process.stdout.write('ready\n')

for (let next = Number(first); ; next += BATCH) {
  const numbers = Array.from({ length: BATCH }, (_, index) => next + index)
  await store.commit([raising(...numbers.map((n) => raise({ key: `n${n}`, atMs: Date.now() })))])
  // Synchronous on a pipe: what was said is with the parent when this process is killed.
  process.stdout.write(numbers.map((n) => `a ${n}\n`).join(''))
  wake()
  await new Promise((resolve) => setTimeout(resolve, 5))
}
