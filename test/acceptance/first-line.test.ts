import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { delimiter, dirname } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { firstLine } from '../support/first-line.ts'
import { MAIN } from '../support/program.ts'

const { command, environment } = firstLine()
const [interpreter, argument] = command
const skip = existsSync(interpreter) ? false : `there is no ${interpreter}`

/** Runs words behind the first line as the kernel would. */
async function run(...words: readonly string[]) {
  const path = [dirname(process.execPath), process.env['PATH']].join(delimiter)
  return await promisify(execFile)(interpreter, [argument, ...words], { env: { PATH: path } })
}

test('the program starts by its first line', { skip }, async () => {
  const { stdout, stderr } = await run(MAIN, '--version')
  assert.match(stdout, /^trackalert \d+\.\d+\.\d+/)
  assert.equal(stderr, '')
})

test('npm starts the server as its first line does', () => {
  const { scripts } = readPackage()
  const { environment: variables, nodeOptions } = firstLine()
  const assignments = Object.entries(variables).map(([name, value]) => `${name}=${value}`)
  const expected = [...assignments, 'node', ...nodeOptions, 'src/main.ts'].join(' ')
  assert.ok(scripts.start.startsWith(`${expected} `), scripts.start)
})

function readPackage(): { readonly scripts: { readonly start: string } } {
  const path = new URL('../../package.json', import.meta.url)
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a file of this project
  return JSON.parse(readFileSync(path, 'utf8')) as ReturnType<typeof readPackage>
}

test('Node and malloc are given what the first line says', { skip }, async () => {
  // Much that is new stays for a while, so that the young generation becomes as large as it may.
  const script = `
    let kept = []
    for (let at = 0; at < 4_000_000; at++) {
      kept.push({ at, more: [at] })
      if (kept.length > 500_000) kept = []
    }
    const young = require('node:v8').getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space')
    console.log(JSON.stringify({ young: young.space_size / 2 ** 20, environment: process.env }))`
  const { stdout } = await run('-e', script)
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it is written above
  const found = JSON.parse(stdout) as { young: number; environment: Record<string, string> }
  assert.ok(found.young <= 32, `${found.young} MiB`)
  for (const [name, value] of Object.entries(environment)) assert.equal(found.environment[name], value)
})
