/**
 * Questions to a running server: its custom endpoints, its metrics, and whether something has come to be.
 */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ServerProcess } from './server-process.ts'

const DEADLINE_MS = 15_000
const LOOK_EVERY_MS = 20

/** Lua that answers a custom endpoint with any value; `ask` gets it back. Configurations that use it begin with it. */
export const ANSWER_LUA = `
  local cjson = require "cjson"
  local function answer(value) return true, {json=cjson.encode(value)} end
`

/** Calls a custom endpoint that ends with `return answer(value)`: the value. */
export async function ask(
  server: ServerProcess,
  endpoint: string,
  attrs: Readonly<Record<string, string>> = {},
): Promise<unknown> {
  const response = await server.post(`/command/${endpoint}`, { attrs })
  const text = await response.text()
  assert.equal(response.status, 200, `${text}\n${server.output.slice(-2000)}`)
  const { r_attrs } = JSON.parse(text) as { readonly r_attrs: { readonly json?: string } }
  return JSON.parse(r_attrs.json ?? 'null')
}

/** Calls a custom endpoint that answers with an array. An empty Lua table may be either; both are no entries. */
export async function askForList<T>(
  server: ServerProcess,
  endpoint: string,
  attrs: Readonly<Record<string, string>> = {},
): Promise<readonly T[]> {
  const list = await ask(server, endpoint, attrs)
  return Array.isArray(list) ? (list as readonly T[]) : []
}

/** Sends one report, which must be accepted. */
export async function report(
  server: ServerProcess,
  fields: Readonly<Record<string, unknown>>,
): Promise<void> {
  const answer = await server.post('/command/report', { remote: '192.0.2.7', success: true, ...fields })
  const text = await answer.text()
  assert.equal(answer.status, 200, text)
}

/** The value of a metric without labels, or of one line of it with them: `name{label="value"}`. */
export async function metric(server: ServerProcess, name: string): Promise<number> {
  const text = await (await server.get('/metrics')).text()
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${name} `))
  return Number(line?.slice(name.length + 1) ?? Number.NaN)
}

/** Resolves when it is so; fails with `what` when it does not come to be. */
export async function eventually(what: string, isSo: () => Promise<boolean> | boolean): Promise<void> {
  const endMs = performance.now() + DEADLINE_MS
  while (!(await isSo())) {
    assert.ok(performance.now() < endMs, what)
    await sleep(LOOK_EVERY_MS)
  }
}

/** Every accepted report has been run and committed. */
export function allRun(server: ServerProcess): Promise<void> {
  return eventually('the backlog does not empty', async () => {
    return (await metric(server, 'trackalert_backlog_reports')) === 0
  })
}
