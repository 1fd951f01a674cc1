/**
 * The container image, as far as it can be tested without building it: that everything that the Dockerfile names is there,
 * that it keeps the rules for such files, and that the configuration in it runs as the image runs it.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { eventually } from '../support/ask-server.ts'
import { basicAuth, CONFIGURATION, startServer, type ServerProcess } from '../support/server-process.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const MAIN = join(ROOT, 'src/main.ts')
const read = (name: string): string => readFileSync(join(ROOT, name), 'utf8')

interface Instruction {
  readonly name: string
  readonly text: string
}

function instructionsOf(dockerfile: string): readonly Instruction[] {
  return dockerfile
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => ({
      name: line.slice(0, line.indexOf(' ')),
      text: line.slice(line.indexOf(' ') + 1).trim(),
    }))
}

const INSTRUCTIONS = instructionsOf(read('Dockerfile'))
const all = (name: string): readonly string[] =>
  INSTRUCTIONS.filter((instruction) => instruction.name === name).map(({ text }) => text)
const last = (name: string): string => all(name).at(-1) ?? ''

/** The form in which no shell takes part. */
function words(text: string): readonly string[] {
  const list: unknown = JSON.parse(text)
  assert.ok(Array.isArray(list))
  return list.map(String)
}

describe('the Dockerfile', () => {
  test('copies files that are there and that the build may see', () => {
    const patterns = read('.dockerignore')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
    assert.equal(patterns[0], '*')
    const visible = new Set(patterns.filter((line) => line.startsWith('!')).map((line) => line.slice(1)))
    const copied = all('COPY').filter((text) => !text.startsWith('--from'))
    assert.notEqual(copied.length, 0)
    for (const source of copied.flatMap((text) => text.split(/\s+/).slice(0, -1))) {
      assert.ok(existsSync(join(ROOT, source)), source)
      assert.ok(visible.has(source.split('/')[0] ?? ''), `${source} is not in .dockerignore`)
    }
    for (const name of visible) assert.ok(existsSync(join(ROOT, name)), name)
  })

  test('makes what its second stage takes', () => {
    const { scripts, bin } = JSON.parse(read('package.json')) as {
      readonly scripts: Readonly<Record<string, string>>
      readonly bin: Readonly<Record<string, string>>
    }
    const build = all('RUN').flatMap((text) => text.split('&&').map((part) => part.trim()))
    assert.ok(build.includes('npm ci'))
    const script = build.find((each) => each.startsWith('npm run '))?.slice('npm run '.length) ?? ''
    assert.ok(script in scripts, script)
    assert.ok(build.includes('npm prune --omit=dev --omit=optional'))
    // The program of the image is the program of the package.
    assert.ok(last('RUN').includes(`ln -s ${last('WORKDIR')}/${bin['trackalert']} /usr/local/bin/trackalert`))
    assert.equal(words(last('ENTRYPOINT'))[0], 'trackalert')
    assert.equal(words(/CMD (\[.*\])/.exec(last('HEALTHCHECK'))?.[1] ?? '[]')[0], 'trackalert')
  })

  test('has the Node.js that the tests run on', () => {
    const { version } = JSON.parse(read('node_modules/node/package.json')) as { readonly version: string }
    assert.equal(all('FROM').length, 2)
    for (const image of all('FROM'))
      assert.match(image, new RegExp(`^node:${version.replaceAll('.', '\\.')}-`))
  })

  test('ends as a user who is not root and is the one that owns the state', () => {
    assert.match(last('USER'), /^[1-9]\d*:[1-9]\d*$/)
    const names = INSTRUCTIONS.map(({ name }) => name)
    assert.ok(names.lastIndexOf('USER') > names.lastIndexOf('RUN'))
    assert.ok(last('ENV').includes(`STATE_DIRECTORY=${last('VOLUME')}`))
    assert.match(last('RUN'), new RegExp(`install -d -o node .*${last('VOLUME')}$`))
  })

  test('keeps the rules of hadolint that concern it', () => {
    for (const image of all('FROM'))
      assert.match(image, /^[a-z]+:\d+\.\d+\.\d+-[a-z-]+( AS [a-z]+)?$/, 'DL3006, DL3007')
    for (const folder of all('WORKDIR')) assert.match(folder, /^\//, 'DL3000')
    for (const unwanted of ['ADD', 'MAINTAINER', 'SHELL'])
      assert.deepEqual(all(unwanted), [], 'DL3020, DL4000')
    for (const text of all('RUN'))
      assert.doesNotMatch(text, /\bsudo\b|\bcd |apt-get|curl|wget|\|/, 'DL3003, DL3004, DL4006')
    for (const name of ['ENTRYPOINT', 'CMD', 'HEALTHCHECK'] as const)
      assert.equal(all(name).length, 1, 'DL3012, DL4003')
    assert.ok(Array.isArray(words(last('CMD'))), 'DL3025')
    const names = INSTRUCTIONS.map(({ name }) => name)
    assert.ok(names.indexOf('WORKDIR') < names.indexOf('COPY'), 'DL3045')
  })
})

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

interface Container {
  readonly server: ServerProcess
  readonly env: Readonly<Record<string, string>>
}

/** The server as the image starts it, but for the port of the control socket, which is everybody's in this machine. */
async function startContainer(
  t: TestContext,
  env: Readonly<Record<string, string>> = {},
): Promise<Container> {
  const shipped = read('conf/docker/trackalert.conf')
  const control = `controlSocket("127.0.0.1")`
  assert.ok(shipped.includes(control))
  const policies = `${last('WORKDIR')}/conf`
  assert.ok(shipped.includes(`"${policies}/?.lua;"`))
  const state = mkdtempSync(join(tmpdir(), 'trackalert-container-'))
  t.after(() => rmSync(state, { recursive: true, force: true }))
  const variables = { TRACKALERT_HTTP_PORT: '0', STATE_DIRECTORY: state, ...env }
  const server = await startServer(t, {
    configuration: shipped
      .replace(control, `controlSocket("127.0.0.1:${await freePort()}")`)
      .replace(policies, join(ROOT, 'conf')),
    args: [...words(last('CMD')), '-C', CONFIGURATION],
    env: variables,
  })
  return { server, env: { ...variables, TRACKALERT_CONFIG_FILE: join(server.folder, 'trackalert.conf') } }
}

describe('the configuration of the image', () => {
  test('takes port and password from the environment, and runs its policy', async (t) => {
    const { server } = await startContainer(t, { TRACKALERT_HTTP_PASSWORD: 'from outside' })
    const report = { login: 'ann', remote: '81.2.69.160', success: true }
    const headers = { authorization: basicAuth('from outside') }
    assert.equal((await server.post('/command/report', report, headers)).status, 200)
    await server.waitFor(/login: login="ann" remote="81\.2\.69\.160" .*country="GB"/)
    assert.equal((await server.post('/command/report', report)).status, 401)
    assert.ok(!server.output.includes('from outside'))
    for (let password = 0; password < 16; password++) {
      const wrong = { ...report, login: 'bob', success: false, pwhash: String(password) }
      await server.post('/command/report', wrong, headers)
    }
    await eventually('the policy pack raises no alert', async () => {
      const alerts = await server.get('/command/alerts', headers)
      return (await alerts.text()).includes('"rule":"brute-force"')
    })
  })

  test('makes a password of its own when none is given, and asks for it', async (t) => {
    const { server, env } = await startContainer(t, { TRACKALERT_HTTP_PASSWORD: '' })
    const password = readFileSync(
      join(env['STATE_DIRECTORY'] ?? '', 'secrets/webserver-password'),
      'utf8',
    ).trim()
    assert.ok(password.length > 30)
    const answer = await server.get('/command/stats', { authorization: basicAuth(password) })
    assert.equal(answer.status, 200)
    assert.equal((await server.get('/command/stats', { authorization: basicAuth('') })).status, 401)
  })

  test('lets the health check of the image see whether the server is well', async (t) => {
    const { server, env } = await startContainer(t)
    const [, ...check] = words(/CMD (\[.*\])/.exec(last('HEALTHCHECK'))?.[1] ?? '[]')
    const run = (): Promise<{ readonly stdout: string }> =>
      promisify(execFile)(process.execPath, [MAIN, ...check], { env: { ...process.env, ...env } })
    assert.match((await run()).stdout, /^0 reports$/m)
    await server.stop()
    // To Docker whatever is not 0 is unhealthy, but 2, which it keeps for itself.
    await assert.rejects(run(), (error: { readonly code?: unknown }) => error.code === 1 || error.code === 3)
  })
})
