/**
 * The Lua functions of a configuration, for looking at one: those that would change or ask something outside do not, and
 * for a check those that only a later step would find wrong look now. Lives on the thread that inspects.
 */
import { createHash } from 'node:crypto'
import { messageOf } from '../errors.ts'
import { loadTls } from '../http/load-tls.ts'
import { results, type HostCall, type HostFunction, type HostResult } from '../lua/host-function.ts'
import type { Bindings } from '../lua/bindings/table.ts'
import { tlsClientOptions } from '../outgoing/tls-client-options.ts'
import type { InspectionMode } from './inspection.ts'
import type { SettingsCollector } from './settings-collector.ts'
import { readSecret } from './state-directory.ts'

/**
 * What questions to other systems come to: they answer nothing, are an error that names the call and who refuses it, or are
 * asked.
 */
export type Outside =
  | { readonly kind: 'silent' }
  | { readonly kind: 'refused'; readonly why: string }
  | { readonly kind: 'asked' }

interface HarmlessDeps {
  readonly mode: InspectionMode
  readonly settings: SettingsCollector
  readonly stateDirectory: () => string
  /** Silent if it is not said. */
  readonly outside?: Outside
}

type Run = HostFunction['run']

const NOT_ASKED = 'nothing is asked while a configuration is only looked at'

export function harmlessBindings(bindings: Bindings, deps: HarmlessDeps): Bindings {
  const replaced: ReadonlyMap<string, (run: Run) => Run> = new Map([
    ...Object.entries(withoutEffect(deps)).map(([name, run]) => [name, () => run] as const),
    ...(deps.mode === 'check' ? Object.entries(lookingCloser(deps.settings)) : []),
  ])
  const harmless = (entry: HostFunction): HostFunction => {
    const replace = replaced.get(entry.name)
    return replace === undefined ? entry : { ...entry, run: replace(entry.run) }
  }
  return {
    functions: bindings.functions.map(harmless),
    types: bindings.types.map((type) => ({ ...type, methods: type.methods.map(harmless) })),
  }
}

function withoutEffect(deps: HarmlessDeps): Readonly<Record<string, Run>> {
  const { mode, settings, stateDirectory, outside = { kind: 'silent' } } = deps
  return {
    secret(call) {
      settings.stateDirectoryIsUsed = true
      const name = call.string(1, 'name')
      const found = readSecret(stateDirectory(), name)
      if (found.text !== undefined) return found.text
      // Before the first start no secret exists yet, which is no mistake of the configuration.
      if (mode !== 'client') return standInSecret(name)
      return call.fail(found.why)
    },
    ...questions(outside),
    ...(mode === 'client'
      ? {
          addAlertSink: nothing,
          newGeoIP2DB: nothing,
          initGeoIPDB: nothing,
          initGeoIPCityDB: nothing,
          initGeoIPISPDB: nothing,
        }
      : {}),
  }
}

const nothing: Run = () => undefined

/** Nothing is protected by it. The same each time, so that a policy which uses it says the same each time. */
function standInSecret(name: string): string {
  return createHash('sha256').update(name).digest('base64url')
}

function questions(outside: Outside): Readonly<Record<string, Run>> {
  switch (outside.kind) {
    case 'silent':
      return {
        'http.request': () => results(undefined, NOT_ASKED),
        'DNSResolver:lookupAddrByName': () => [],
        'DNSResolver:lookupNameByAddr': () => [],
        'DNSResolver:lookupRBL': () => [],
      }
    case 'refused': {
      const refuse = (name: string): readonly [string, Run] => [
        name,
        (call) => call.fail(`${name}: ${outside.why}`),
      ]
      return Object.fromEntries(QUESTIONS.map(refuse))
    }
    case 'asked':
      return {}
    default:
      return outside satisfies never
  }
}

const QUESTIONS = [
  'http.request',
  'DNSResolver:lookupAddrByName',
  'DNSResolver:lookupNameByAddr',
  'DNSResolver:lookupRBL',
] as const

/** What a server would find out only when it uses the setting. */
function lookingCloser(settings: SettingsCollector): Readonly<Record<string, (run: Run) => Run>> {
  const afterwards =
    (look: (call: HostCall) => void) =>
    (run: Run): Run =>
    (call): HostResult | Promise<HostResult> => {
      const result = run(call)
      look(call)
      return result
    }
  const clientTls = afterwards(() => void tlsClientOptions(settings.tlsClient))
  const listener = afterwards((call) => checkNewestListener(call, settings))
  return {
    addListener: listener,
    webserver: listener,
    controlSocket: afterwards((call) => checkControlSocket(call, settings)),
    addAlertSink: afterwards((call) => checkNewestSink(call, settings)),
    setCurlCABundleFile: clientTls,
    setCurlClientCertAndKey: clientTls,
  }
}

function checkNewestListener(call: HostCall, settings: SettingsCollector): void {
  const newest = settings.listeners.at(-1)
  if (newest === undefined) return
  const before = settings.listeners.slice(0, -1)
  const others = settings.controlSocket === null ? before : [...before, settings.controlSocket]
  if (others.some((other) => isSameAddress(newest, other))) {
    call.fail(`something else listens on ${newest.host} port ${newest.port} already`)
  }
  if (newest.tls !== null) loadTls(newest, newest.tls)
}

function checkControlSocket(call: HostCall, { listeners, controlSocket }: SettingsCollector): void {
  if (controlSocket === null) return
  if (listeners.some((listener) => isSameAddress(listener, controlSocket))) {
    call.fail(`an HTTP listener has ${controlSocket.host} port ${controlSocket.port} already`)
  }
}

/** Its own authorities; what all connections share has been looked at where it was set. */
function checkNewestSink(call: HostCall, { alertSinks, tlsClient }: SettingsCollector): void {
  const caBundleFile = [...alertSinks.values()].at(-1)?.keys['ca']
  if (typeof caBundleFile !== 'string') return
  try {
    tlsClientOptions({ ...tlsClient, caBundleFile, clientCertificateFile: null, clientKeyFile: null })
  } catch (error) {
    call.fail(`alert sink ${JSON.stringify([...alertSinks.keys()].at(-1))}: ca: ${messageOf(error)}`)
  }
}

interface Address {
  readonly host: string
  readonly port: number
}

/** Port 0 is another free one each time. */
function isSameAddress(a: Address, b: Address): boolean {
  return a.port === b.port && a.host === b.host && a.port !== 0
}
