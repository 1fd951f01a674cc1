/** The lists of the manual against the code: options, commands, metrics, error codes, webhook keys. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parseWebHookDefinition } from '../../src/delivery/web-hook.ts'
import { buildRequest } from '../../src/delivery/web-hook-request.ts'
import { ERRORS } from '../../src/errors.ts'
import { parseLoginReport } from '../../src/login/parse-report.ts'
import { createMetrics } from '../../src/telemetry/metrics.ts'
import { NO_SOURCES } from '../support/metric-sources.ts'
import { readManPage, tagsOf } from '../support/man-page.ts'
import { BASE_CONFIGURATION, startServer } from '../support/server-process.ts'

describe('trackalert(1)', () => {
  const page = readManPage('trackalert.1')

  test('has an entry for every option that --help shows, and no other', () => {
    const options = optionsOf('--help')
    assert.notEqual(options.length, 0)
    assert.deepEqual(tagsOf(page, 'OPTIONS').toSorted(), options.toSorted())
  })

  test('has a part for every command that --help shows, with its options, and no other', () => {
    const list = helpOf('--help').split('Commands:\n')[1] ?? ''
    const commands = Array.from(list.matchAll(/^ {2}(\w+)/gm), (match) => match[1] ?? '')
    assert.ok(commands.length > 0)
    const [, section = ''] = /^\.SH COMMANDS\n([\s\S]*?)^\.SH /m.exec(page.source) ?? []
    const parts = Array.from(section.matchAll(/^\.SS (\w+)$/gm), (match) => match[1] ?? '')
    assert.deepEqual(parts.toSorted(), commands.toSorted())
    for (const command of commands) {
      const own = optionsOf(command, '--help').filter((option) => option !== '-h, --help')
      assert.deepEqual(tagsOf(page, 'COMMANDS', command).toSorted(), own.toSorted(), command)
    }
  })

  test('names every variable of the environment that the client reads', () => {
    const client = readFileSync(
      fileURLToPath(new URL('../../src/cli/control-target.ts', import.meta.url)),
      'utf8',
    )
    const variables = new Set(Array.from(client.matchAll(/environment\['(\w+)'\]/g), ([, name]) => name))
    assert.ok(variables.size > 0)
    const tags = new Set(tagsOf(page, 'ENVIRONMENT').flatMap((tag) => tag.split(', ')))
    for (const name of variables) assert.ok(tags.has(name ?? ''), name)
  })

  function helpOf(...words: readonly string[]): string {
    const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
    return execFileSync(process.execPath, [main, ...words], { encoding: 'utf8' })
  }

  function optionsOf(...words: readonly string[]): readonly string[] {
    return Array.from(helpOf(...words).matchAll(/^ {2}(-.*?)(?: {2}|$)/gm), (match) => match[1] ?? '')
  }
})

describe('the log section of trackalert(1)', () => {
  const folder = fileURLToPath(new URL('../../src/', import.meta.url))
  const code = globSync('**/*.ts', { cwd: folder })
    .map((file) => readFileSync(join(folder, file), 'utf8'))
    .join('\n')
  const messages = tagsOf(readManPage('trackalert.1'), 'LOG').flatMap((tag) => tag.split(', '))

  for (const message of messages) {
    test(`has a message that the server writes: ${message}`, () => {
      // Numbers and names are put in at run time.
      const constantPart = message.includes(' stats last ') ? ' stats last ' : message.replace(/ file$/, '')
      assert.ok(code.includes(constantPart))
    })
  }
})

describe('trackalert_api(7)', () => {
  const page = readManPage('trackalert_api.7')

  test('has an entry for every command of the OpenAPI document, and no other', async (t) => {
    const server = await startServer(t, { configuration: BASE_CONFIGURATION })
    const document = (await (await server.get('/openapi.json')).json()) as {
      readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>
    }
    const commands = Object.entries(document.paths).flatMap(([path, operations]) =>
      Object.keys(operations)
        .filter((method) => ['get', 'post', 'put', 'delete'].includes(method))
        .map((method) => `${method.toUpperCase()} ${path}`),
    )
    assert.deepEqual(tagsOf(page, 'COMMANDS').toSorted(), commands.toSorted())
  })

  test('has an entry for every metric with its labels and type, and no other', async () => {
    const { registry } = createMetrics(NO_SOURCES)
    const ours = registry
      .getMetricsAsArray()
      .filter(({ name }) => !name.startsWith('process_') && !name.startsWith('nodejs_'))
    const wanted = ours.map((metric) => {
      const labels: unknown = 'labelNames' in metric ? metric.labelNames : []
      assert.ok(Array.isArray(labels))
      return labels.length === 0 ? metric.name : `${metric.name}{${labels.join(',')}}`
    })
    assert.deepEqual(tagsOf(page, 'METRICS').toSorted(), wanted.toSorted())

    const types = Array.from((await registry.metrics()).matchAll(/^# TYPE (trackalert_\S+) (\w+)$/gm))
    assert.equal(types.length, ours.length)
    for (const [, name, type] of types) {
      const entry = page.entries.find(({ tag }) => tag.replace(/\{.*/, '') === name)
      assert.match(entry?.body ?? '', new RegExp(`^${type}:`, 'i'), name)
    }
  })

  test('has an entry for every error code that begins with its text, and no other', () => {
    assert.deepEqual(tagsOf(page, 'ERROR CODES').toSorted(), Object.keys(ERRORS).toSorted())
    for (const [code, { text }] of Object.entries(ERRORS)) {
      const body = page.entries.find((entry) => entry.tag === code)?.body ?? ''
      assert.ok(body.startsWith(`${text}.`), `${code} must begin with "${text}."`)
    }
  })

  test('has an entry for every field that a report may have, and no other', () => {
    const fields = tagsOf(page, 'REPORT FIELDS')
    const right = { login: 'ann', remote: '192.0.2.1', success: true }
    for (const field of fields) {
      const parsed = parseLoginReport({ ...right, [field]: Symbol('of the wrong type') }, 0)
      assert.ok(!parsed.ok && parsed.reason.includes(`The field ${field} `), `${field} is not looked at`)
    }
    const report = parseLoginReport(right, 0)
    assert.ok(report.ok)
    // The port stands in remote, and lists in attrs.
    const known = Object.keys(report.report).filter((name) => name !== 'remote_port' && name !== 'attrs_mv')
    assert.deepEqual(fields.toSorted(), known.toSorted())
  })
})

describe('trackalert_webhook(5)', () => {
  const page = readManPage('trackalert_webhook.5')

  test('has an entry for every key of a custom webhook, and no other', () => {
    const refused = parseWebHookDefinition('hook', new Map([['no such key', '1']]))
    assert.ok(!refused.ok)
    const keys = refused.reason.replace(/.*it takes /, '').split(', ')
    assert.deepEqual(tagsOf(page, 'KEYS').toSorted(), keys.toSorted())
  })

  test('has an entry for every header of a delivery, and no other', () => {
    const { headers } = request({ 'basic-auth': 'user:password', 'api-key': 'key', secret: 'secret' }, '{}')
    assert.deepEqual(tagsOf(page, 'HEADERS').toSorted(), Object.keys(headers).toSorted())
  })

  test('shows a signature that is right', () => {
    const { headers } = request({ secret: 'verysecretcode' }, '{"login":"ann"}')
    assert.ok(page.source.includes(`\n${headers['X-Wforce-Signature']}\n`), headers['X-Wforce-Signature'])
  })

  test('has a script that takes right signatures and no wrong ones', async () => {
    const script = page.examples.find(({ name }) => name === 'verify-signature')?.text ?? ''
    const module: unknown = await import(`data:text/javascript,${encodeURIComponent(script)}`)
    const { isGenuine } = module as {
      isGenuine: (body: Uint8Array, header: string, secret: string) => boolean
    }
    const { headers, body } = request({ secret: 'verysecretcode' }, '{"login":"ann"}')
    const header = headers['X-Wforce-Signature'] ?? ''
    assert.equal(isGenuine(body, header, 'verysecretcode'), true)
    assert.equal(isGenuine(body, header, 'another secret'), false)
    assert.equal(isGenuine(body, 'AAAA', 'verysecretcode'), false)
  })

  test('shows the wrapping for Kafka', () => {
    const { headers, body } = request({ kafka: 'true' }, 'BODY')
    assert.ok(page.source.includes(`\n${Buffer.from(body).toString()}\n`))
    assert.ok(page.source.includes(String(headers['Content-Type'])))
  })

  function request(keys: Readonly<Record<string, string>>, body: string) {
    const parsed = parseWebHookDefinition(
      'hook',
      new Map(Object.entries({ url: 'http://192.0.2.1/', ...keys })),
      1,
    )
    assert.ok(parsed.ok)
    return buildRequest(parsed.definition, { deliveryId: '4b2f', body }, 0)
  }
})
