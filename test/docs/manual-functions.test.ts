/** trackalert.conf(5) against the code: functions, fields, libraries, defaults. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { DEFAULT_ACL } from '../../src/config/default-acl.ts'
import { NUMBER_SETTINGS, type NumberSettingName } from '../../src/config/number-settings.ts'
import { SettingsCollector } from '../../src/config/settings-collector.ts'
import { tlsOptionsFrom } from '../../src/http/tls-options.ts'
import { createDnsResolvers } from '../../src/lookup/dns-resolvers.ts'
import { createHttpClient } from '../../src/lookup/http-client.ts'
import { LOGIN_TUPLE_FIELDS } from '../../src/lua/bindings/login-tuple.ts'
import { Registrations } from '../../src/lua/bindings/registrations.ts'
import { createBindings } from '../../src/lua/bindings/table.ts'
import type { HostFunction } from '../../src/lua/host-function.ts'
import { createLuaState } from '../../src/lua/lua-state.ts'
import { FIELD_TYPES, TREND_DEFAULTS } from '../../src/trends/trend-definition.ts'
import { readManPage, tagsOf } from '../support/man-page.ts'
import { TrendRows } from '../support/trend-rows.ts'

const page = readManPage('trackalert.conf.5')

const FUNCTION_OF_SETTING: Readonly<Record<NumberSettingName, string>> = {
  httpThreads: 'setNumWorkerThreads',
  maxConnections: 'setMaxWebserverConns',
  schedulerThreads: 'setNumSchedulerThreads',
  webHookThreads: 'setNumWebHookThreads',
  webHookConnectionsPerThread: 'setNumWebHookConnsPerThread',
  webHookQueueSize: 'setWebHookQueueSize',
  webHookTimeoutSeconds: 'setWebHookTimeoutSecs',
}

function bindings() {
  const settings = new SettingsCollector()
  return createBindings({
    settings,
    registrations: new Registrations(),
    log: () => undefined,
    geo: { open: () => assert.fail('no database is opened here'), find: () => undefined },
    http: { client: () => createHttpClient({ tls: settings.tlsClient }) },
    dns: createDnsResolvers({ onQuery: () => undefined }),
    trends: new TrendRows('at once'),
    ask: () => assert.fail('no store is asked here'),
    askServer: () => assert.fail('no server is asked here'),
    globalNames: () => [],
    isWebHook: () => false,
    isCustomStat: () => false,
    stateDirectory: () => '',
    shutdown: () => undefined,
  })
}

function functionsAndMethods(): readonly HostFunction[] {
  const { functions, types } = bindings()
  return [...functions, ...types.flatMap((type) => type.methods)]
}

describe('trackalert(1)', () => {
  test('has an entry for every command of the console, with its usage as the tag, and no other', () => {
    const commands = functionsAndMethods().filter(({ scope }) => scope === 'console')
    const usages = commands.map(({ usage }) => usage)
    assert.deepEqual(tagsOf(readManPage('trackalert.1'), 'CONSOLE', 'Commands').toSorted(), usages.toSorted())
  })

  test('names every function that has its effect at once on the console', () => {
    const names = functionsAndMethods().filter(({ isImmediate }) => isImmediate === true)
    const { source } = readManPage('trackalert.1')
    const text = source.slice(source.indexOf('.SH CONSOLE'), source.indexOf('.SS Commands'))
    for (const { name } of names) {
      if (!name.endsWith('Log')) assert.match(text, new RegExp(`^\\.\\w+ ${RegExp.escape(name)}\\b`, 'm'))
    }
  })
})

describe('trackalert.conf(5)', () => {
  test('has an entry for every function and method, with its usage as the tag, and no other', () => {
    const usages = functionsAndMethods()
      .filter(({ scope }) => scope !== 'console')
      .map(({ usage }) => usage)
    // A tag that could be called is that of a function.
    const tags = page.entries.map((entry) => entry.tag).filter((tag) => /^[\w.:]+[({]/.test(tag))
    assert.deepEqual(tags.toSorted(), usages.toSorted())
  })

  test('has an entry for every field of a LoginTuple, and no other', () => {
    const tags = page.entries.map((entry) => entry.tag).filter((tag) => tag.startsWith('lt.'))
    assert.deepEqual(tags.toSorted(), LOGIN_TUPLE_FIELDS.map((field) => `lt.${field}`).toSorted())
  })

  test('has a section for every type', () => {
    for (const { name } of bindings().types) assert.match(page.source, new RegExp(`^\\.SS ${name}$`, 'm'))
  })

  for (const [setting, { preset, min, max }] of Object.entries(NUMBER_SETTINGS)) {
    test(`tells default and limits of the setting ${setting}`, () => {
      const name = FUNCTION_OF_SETTING[setting as NumberSettingName]
      const body = page.entries.find((entry) => entry.tag.startsWith(`${name}(`))?.body ?? ''
      assert.match(body, new RegExp(`\\bdefault ${preset}\\b`, 'i'))
      assert.match(body, new RegExp(`\\bfrom ${min} to ${max}\\b`, 'i'))
    })
  }

  test('has an entry for every type of a trend field, and no other', () => {
    assert.deepEqual(tagsOf(page, 'TRENDS', 'Types of fields'), FIELD_TYPES)
  })

  const PRESETS: readonly (readonly [tag: string, preset: number])[] = [
    ['setHLLBits(', TREND_DEFAULTS.hllBits],
    ['setCountMinBits(', TREND_DEFAULTS.countMinEps],
    ['setCountMinBits(', TREND_DEFAULTS.countMinGamma],
    ['newStringStatsDB(', TREND_DEFAULTS.maxItemsPerKey],
    ['newStringStatsDB(', TREND_DEFAULTS.topCapacity],
    ['db:twSetv4Prefix(', TREND_DEFAULTS.v4Prefix],
    ['db:twSetv6Prefix(', TREND_DEFAULTS.v6Prefix],
    ['db:twSetMaxSize(', TREND_DEFAULTS.maxKeys],
  ]
  for (const [tag, preset] of PRESETS) {
    test(`tells the default ${preset} of ${tag})`, () => {
      const body = page.entries.find((entry) => entry.tag.startsWith(tag))?.body ?? ''
      assert.match(body, new RegExp(`\\b${preset}\\b.* unless given`))
    })
  }

  test('lists the networks of the default ACL', () => {
    const body = page.entries.find((entry) => entry.tag === 'setACL(netmasks)')?.body ?? ''
    assert.deepEqual(body.match(/[\da-f.:]+\/\d+/g), DEFAULT_ACL)
  })

  test('has an entry for every TLS option of a listener, and no other', () => {
    const outcome = tlsOptionsFrom({ 'no such option': '1' })
    assert.ok(!outcome.ok)
    const names = outcome.reason.replace(/.*known are /, '').split(/, | and /)
    assert.deepEqual(tagsOf(page, 'LISTENERS AND ACCESS', 'TLS options'), names)
  })

  const listOf = (library: string): string => `(function()
    local names = {}
    for name in pairs(${library}) do names[#names + 1] = name end
    table.sort(names)
    return table.concat(names, ", ")
  end)()`

  const globals = tagsOf(page, 'LUA', 'Libraries')
  for (const tag of globals.filter((name) => name !== 'Basic functions' && !name.includes('cjson.safe'))) {
    test(`lists what is in ${tag}`, async () => {
      assert.equal(membersInPage(tag), await evaluate(`return ${listOf(tag)}`))
    })
  }

  test('lists the basic functions, and every library', async () => {
    const libraries = globals.filter((tag) => /^\w+$/.test(tag))
    const all = await evaluate(`return ${listOf('_G')}`)
    const names = new Set(String(all).split(', '))
    assert.deepEqual(names, new Set([...membersInPage('Basic functions').split(', '), ...libraries]))
  })

  /** The first sentence of a library's entry. */
  function membersInPage(tag: string): string {
    const body = page.entries.find((entry) => entry.tag === tag)?.body ?? ''
    return body.slice(0, body.indexOf('.'))
  }
})

async function evaluate(source: string): Promise<unknown> {
  const lua = createLuaState({
    functions: [],
    types: [],
    mode: 'policy',
    clock: Date.now,
    moduleFolder: '',
    print: () => undefined,
  })
  const outcome = await lua.runText(source, 'test')
  assert.ok(outcome.ok)
  return outcome.values[0]
}
