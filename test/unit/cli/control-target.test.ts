import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { findControlTarget } from '../../../src/cli/control-target.ts'
import type { Inspection } from '../../../src/config/inspection.ts'

const folder = mkdtempSync(join(tmpdir(), 'trackalert-key-'))
after(() => rmSync(folder, { recursive: true }))

const KEYS = ['option', 'environment', 'configuration'].map(() => randomBytes(32).toString('base64'))
const [OPTION_KEY = '', ENVIRONMENT_KEY = '', CONFIGURED_KEY = ''] = KEYS
const NO_CHOICE = { configFile: undefined, address: undefined, keyFile: undefined } as const

const CONFIGURED: Inspection = {
  mistakes: [],
  ranToEnd: true,
  controlSocket: { host: '127.0.0.1', port: 5199 },
  controlKey: CONFIGURED_KEY,
  listeners: [],
  webserverPassword: null,
  raw: {},
  geoDatabases: [],
  stateDirectory: '',
  source: new Uint8Array(0),
}

function keyFile(text: string): string {
  const file = join(folder, 'key')
  writeFileSync(file, text)
  return file
}

interface Given {
  readonly choice?: { readonly address?: string; readonly keyFile?: string }
  readonly environment?: Readonly<Record<string, string>>
  readonly inspection?: Partial<Inspection> | 'must not be read'
}

async function find({ choice = {}, environment = {}, inspection = {} }: Given) {
  const { key, ...address } = await findControlTarget(
    { ...NO_CHOICE, ...choice },
    {
      environment,
      inspect: async () =>
        inspection === 'must not be read' ? assert.fail(inspection) : { ...CONFIGURED, ...inspection },
    },
  )
  return { ...address, key: Buffer.from(key).toString('base64') }
}

test('address and key come from the configuration', async () => {
  assert.deepEqual(await find({}), { host: '127.0.0.1', port: 5199, key: CONFIGURED_KEY })
})

test('the environment goes before the configuration, and options before both', async () => {
  const environment = {
    TRACKALERT_CONTROL_ADDRESS: '[2001:db8::1]:7000',
    TRACKALERT_CONTROL_KEY: ENVIRONMENT_KEY,
  }
  const inspection = 'must not be read'
  assert.deepEqual(await find({ environment, inspection }), {
    host: '2001:db8::1',
    port: 7000,
    key: ENVIRONMENT_KEY,
  })
  const choice = { address: '192.0.2.1', keyFile: keyFile(`${OPTION_KEY}\n`) }
  assert.deepEqual(await find({ choice, environment, inspection }), {
    host: '192.0.2.1',
    port: 5199,
    key: OPTION_KEY,
  })
  assert.deepEqual(await find({ choice: { address: '192.0.2.1' } }), {
    host: '192.0.2.1',
    port: 5199,
    key: CONFIGURED_KEY,
  })
  assert.equal(
    (await find({ environment: { TRACKALERT_CONTROL_KEY_FILE: keyFile(ENVIRONMENT_KEY) } })).key,
    ENVIRONMENT_KEY,
  )
})

test('what makeKey() printed is a key file as well', async () => {
  const choice = { keyFile: keyFile(`setKey("${OPTION_KEY}")\n`) }
  assert.equal((await find({ choice })).key, OPTION_KEY)
})

test('a server that listens on every address is reached on the loopback one', async () => {
  const host = async (address: string): Promise<string> =>
    (await find({ inspection: { controlSocket: { host: address, port: 1 } } })).host
  assert.equal(await host('0.0.0.0'), '127.0.0.1')
  assert.equal(await host('::'), '::1')
  assert.equal(await host('10.0.0.0'), '10.0.0.0')
})

describe('what is missing or wrong is said, and a key is never shown', () => {
  const mistake = { file: '/etc/t.conf', line: 7, message: "bad argument #1 to 'setKey'" }
  const cases: readonly (readonly [what: string, given: Given, message: RegExp])[] = [
    ['no address', { inspection: { controlSocket: null } }, /has no controlSocket/],
    ['no key', { inspection: { controlKey: null } }, /has no setKey\(\)$/],
    [
      'why there is no key',
      { inspection: { controlKey: null, mistakes: [mistake] } },
      /has no setKey\(\); \/etc\/t\.conf:7: bad argument/,
    ],
    ['an address that is none', { choice: { address: 'nowhere' } }, /"nowhere" is no address/],
    ['a key file that is not there', { choice: { keyFile: join(folder, 'none') } }, /cannot be read.*none/],
    [
      'a key that is too short',
      { environment: { TRACKALERT_CONTROL_KEY: OPTION_KEY.slice(4) } },
      /^((?!BASE).)*\$TRACKALERT_CONTROL_KEY is not 32 bytes/,
    ],
  ]
  for (const [what, given, message] of cases) {
    test(what, async () => {
      await assert.rejects(find(given), (error: Error & { readonly code?: string }) => {
        assert.equal(error.code, 'TRK_CONTROL_SETTINGS')
        assert.match(error.message, message)
        for (const key of KEYS) assert.ok(!error.message.includes(key.slice(4)))
        return true
      })
    })
  }
})
