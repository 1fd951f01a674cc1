/** Who waits when all cores are busy, as the system sees it. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { getPriority } from 'node:os'
import { test } from 'node:test'
import { BASE_CONFIGURATION, startServer } from '../support/server-process.ts'

/** Where the nice value stands in /proc/PID/task/TID/stat, counted behind the thread's name (proc(5): field 19). */
const NICE_FIELD = 16

/** Nice values of a process's threads by name. */
function niceValues(pid: number): ReadonlyMap<string, readonly number[]> {
  const byName = new Map<string, number[]>()
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    const [, name = '', rest = ''] =
      /\((.*)\) (.*)/.exec(readFileSync(`/proc/${pid}/task/${task}/stat`, 'utf8')) ?? []
    byName.set(name, [...(byName.get(name) ?? []), Number(rest.split(' ')[NICE_FIELD])])
  }
  return byName
}

const isLinux = process.platform === 'linux'

test(
  'policies and garbage collection wait for reports and the store',
  { skip: isLinux ? false : 'only Linux has priorities of threads' },
  async (t) => {
    const server = await startServer(t, {
      configuration: `${BASE_CONFIGURATION}setNumLuaStates(2)\nsetReport(function(lt) end)\n`,
    })
    const base = getPriority()
    const nice = niceValues(server.child.pid ?? 0)
    assert.deepEqual(nice.get('MainThread'), [base])
    assert.deepEqual(nice.get('store'), [base])
    assert.deepEqual([nice.get('policy-0'), nice.get('policy-1')], [[base + 5], [base + 5]])
    assert.ok((nice.get('V8Worker')?.length ?? 0) > 0)
    for (const value of nice.get('V8Worker') ?? []) assert.equal(value, base + 10)
  },
)
