import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { cp, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { ServerProcess } from '../support/server-process.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

test("the README's first run: the shipped configuration starts, its curl is answered, the policy logs the country", async (t) => {
  const state = await mkdtemp(join(tmpdir(), 'trackalert-first-run-'))
  const readme = await readFile(join(ROOT, 'README.md'), 'utf8')
  // The shipped listener has a fixed port: the test runs the same file on a free one.
  const shipped = await readFile(join(ROOT, 'conf/trackalert.conf'), 'utf8')
  assert.match(shipped, /addListener\("127\.0\.0\.1:8084"/)
  await cp(join(ROOT, 'conf/policies'), join(state, 'policies'), { recursive: true })
  await writeFile(join(state, 'trackalert.conf'), shipped.replace('127.0.0.1:8084', '127.0.0.1:0'))

  const child = spawn(process.execPath, ['src/main.ts', '-s', '-C', join(state, 'trackalert.conf')], {
    cwd: ROOT,
  })
  const server = new ServerProcess(state, child)
  t.after(async () => {
    child.kill('SIGKILL')
    await server.exited
    await rm(state, { recursive: true, force: true })
  })
  await server.waitFor(/ready: /)

  const place = await server.waitFor(/a new random secret was made and written to (\S+)/)
  const file = place[1] ?? ''
  assert.equal(file, join(state, 'state/secrets/webserver-password'))
  assert.equal((await stat(file)).mode & 0o777, 0o600)
  const password = (await readFile(file, 'utf8')).trim()
  assert.ok(!server.output.includes(password), 'the password is in the log')

  const body = /-d '(\{[^']*\})'/.exec(readme)?.[1]
  assert.ok(body !== undefined, 'the README has no curl with a body')
  const answer = await fetch(new URL('/command/report', server.url), {
    method: 'POST',
    headers: {
      authorization: `Basic ${Buffer.from(`wforce:${password}`).toString('base64')}`,
      'content-type': 'application/x-www-form-urlencoded',
    },
    body,
  })
  assert.equal(await answer.text(), '{"status":"ok"}')
  const line = await server.waitFor(/info {2}login: .*/)
  assert.ok(readme.includes(line[0]), `the README shows another line than ${line[0]}`)
  assert.match(line[0], /country="GB"/)
})
