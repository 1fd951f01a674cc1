/**
 * Configuration functions for the server itself: listeners, access, threads, TLS of outgoing connections, state.
 */
import { accessSync, constants } from 'node:fs'
import { resolve } from 'node:path'
import { MAX_THREADS, NUMBER_SETTINGS, type NumberSettingName } from '../../config/number-settings.ts'
import type { SettingsCollector } from '../../config/settings-collector.ts'
import { parseControlKey } from '../../control/control-key.ts'
import { messageOf } from '../../errors.ts'
import { parseEndpoint } from '../../config/endpoint.ts'
import { parseNetmask } from '../../login/netmask.ts'
import type { HostCall, HostFunction } from '../host-function.ts'
import { askServer, type AskServer } from './ask-server.ts'

/** Where the control socket is unless an address names a port. */
export const CONTROL_PORT = 5199
const DEFAULT_HISTORY_MB = 1024
const THREADS = { min: 1, max: MAX_THREADS } as const

/** The functions of this topic; they write into `settings`. */
export function serverSettingFunctions(settings: SettingsCollector, ask: AskServer): readonly HostFunction[] {
  return [
    ...aclFunctions(settings, ask),
    ...accessFunctions(settings),
    ...listenerFunctions(settings),
    ...controlFunctions(settings),
    ...threadFunctions(settings),
    ...tlsClientFunctions(settings),
    ...storageFunctions(settings),
  ]
}

/** The ACL alone can be changed on the console too: at once, and until the configuration is read again. */
function aclFunctions(settings: SettingsCollector, ask: AskServer): readonly HostFunction[] {
  const change = async (mode: 'replace' | 'add', netmasks: readonly string[]): Promise<void> => {
    await askServer(ask, { kind: 'change-acl', mode, netmasks })
  }
  return [
    {
      name: 'setACL',
      usage: 'setACL(netmasks)',
      summary:
        'Replaces the netmasks from which the HTTP listeners may be used; the default is the private ranges.',
      scope: 'configuration',
      run(call) {
        settings.acl = netmasksArgument(call)
        settings.addedAcl.length = 0
      },
      onConsole: (call) => change('replace', netmasksArgument(call)),
    },
    {
      name: 'addACL',
      usage: 'addACL(netmask)',
      summary: 'Adds a netmask from which the HTTP listeners may be used; a leading ! shuts it out.',
      scope: 'configuration',
      run(call) {
        settings.addedAcl.push(netmaskArgument(call))
      },
      onConsole: (call) => change('add', [netmaskArgument(call)]),
    },
  ]
}

function accessFunctions(settings: SettingsCollector): readonly HostFunction[] {
  return [
    {
      name: 'setWebserverPassword',
      usage: 'setWebserverPassword(password)',
      summary: 'Sets the password that HTTP clients must give; any user name goes with it.',
      scope: 'configuration',
      run(call) {
        settings.webserverPassword = passwordArgument(call, 1)
      },
    },
    {
      name: 'setMetricsNoPassword',
      usage: 'setMetricsNoPassword()',
      summary: 'Lets /metrics be read without the password; the ACL still applies.',
      scope: 'configuration',
      run() {
        settings.metricsNeedPassword = false
      },
    },
  ]
}

function listenerFunctions(settings: SettingsCollector): readonly HostFunction[] {
  return [
    {
      name: 'addListener',
      usage: 'addListener(address, tls, certificateFile, keyFile, options)',
      summary: 'Adds an HTTP listener on ADDRESS:PORT, with TLS when the second argument is true.',
      scope: 'configuration',
      run(call) {
        const { host, port } = endpointArgument(call, 1, undefined)
        if (call.optionalBoolean(2, 'tls') !== true) {
          settings.listeners.push({ host, port, tls: null })
          return
        }
        const certificateFile = fileArgument(call, 3, 'certificateFile')
        const keyFile = fileArgument(call, 4, 'keyFile')
        const options: Record<string, string> = {}
        for (const [key, value] of call.optionalRecord(5, 'options') ?? []) {
          if (typeof value !== 'string' && typeof value !== 'number')
            return call.fail(`TLS option ${key} must be a string`)
          options[key] = String(value)
        }
        settings.listeners.push({ host, port, tls: { certificateFile, keyFile, options } })
      },
    },
    {
      name: 'webserver',
      usage: 'webserver(address, password)',
      summary: 'Deprecated form of addListener and setWebserverPassword.',
      scope: 'configuration',
      run(call) {
        settings.listeners.push({ ...endpointArgument(call, 1, undefined), tls: null })
        settings.webserverPassword = passwordArgument(call, 2)
        settings.notice('webserver() is deprecated: use addListener() and setWebserverPassword()')
      },
    },
  ]
}

function controlFunctions(settings: SettingsCollector): readonly HostFunction[] {
  return [
    {
      name: 'controlSocket',
      usage: 'controlSocket(address)',
      summary: `Sets the address of the control socket, port ${CONTROL_PORT} if none is given.`,
      scope: 'configuration',
      run(call) {
        settings.controlSocket = endpointArgument(call, 1, CONTROL_PORT)
      },
    },
    {
      name: 'setKey',
      usage: 'setKey(key)',
      summary: 'Sets the key of the control socket: 32 bytes in base64, as makeKey() prints it.',
      // In policy states too: files for the reference test the result, and shall not find it false there.
      scope: 'registration',
      run(call) {
        const key = call.string(1, 'key')
        const parsed = parseControlKey(key)
        if (parsed === undefined) {
          return call.fail(
            'setKey: the key must be 32 bytes in base64, as makeKey() on the console prints it',
          )
        }
        settings.controlKey = Buffer.from(parsed).toString('base64')
        return true
      },
    },
    {
      name: 'setStateDirectory',
      usage: 'setStateDirectory(path)',
      summary: 'Sets where state and secrets are kept; call it before secret().',
      scope: 'configuration',
      run(call) {
        if (settings.stateDirectoryIsUsed)
          return call.fail('setStateDirectory must come before the first secret()')
        settings.stateDirectory = call.string(1, 'path')
      },
    },
  ]
}

function threadFunctions(settings: SettingsCollector): readonly HostFunction[] {
  const number = (
    name: string,
    setting: NumberSettingName,
    argument: string,
    summary: string,
  ): HostFunction => ({
    name,
    usage: `${name}(${argument})`,
    summary,
    scope: 'configuration',
    run(call) {
      settings.numbers.set(setting, call.integer(1, argument, NUMBER_SETTINGS[setting]))
    },
  })
  return [
    {
      name: 'setNumLuaStates',
      usage: 'setNumLuaStates(states)',
      summary:
        'Sets the number of policy workers, unless setNumReportThreads does; default one per core but one.',
      scope: 'configuration',
      run(call) {
        settings.luaStates = call.integer(1, 'states', THREADS)
      },
    },
    {
      name: 'setNumReportThreads',
      usage: 'setNumReportThreads(threads)',
      summary: 'Sets the number of policy workers; default one per core but one.',
      scope: 'configuration',
      run(call) {
        settings.reportThreads = call.integer(1, 'threads', THREADS)
      },
    },
    number(
      'setNumWorkerThreads',
      'httpThreads',
      'threads',
      'Accepted for the reference; HTTP is served by one thread.',
    ),
    number(
      'setNumSchedulerThreads',
      'schedulerThreads',
      'threads',
      'Accepted for the reference; background functions run on the policy workers.',
    ),
    number(
      'setMaxWebserverConns',
      'maxConnections',
      'connections',
      'Sets how many HTTP connections may be open at once.',
    ),
    number(
      'setNumWebHookThreads',
      'webHookThreads',
      'threads',
      'Times setNumWebHookConnsPerThread: connections to one receiver.',
    ),
    number(
      'setNumWebHookConnsPerThread',
      'webHookConnectionsPerThread',
      'connections',
      'Times setNumWebHookThreads: connections to one receiver.',
    ),
    number(
      'setWebHookQueueSize',
      'webHookQueueSize',
      'deliveries',
      'Sets how many webhooks may wait for their receivers.',
    ),
    number(
      'setWebHookTimeoutSecs',
      'webHookTimeoutSeconds',
      'seconds',
      'Sets how long one try of a webhook may take.',
    ),
  ]
}

function tlsClientFunctions(settings: SettingsCollector): readonly HostFunction[] {
  const tls = settings.tlsClient
  return [
    {
      name: 'disableCurlPeerVerification',
      usage: 'disableCurlPeerVerification()',
      summary: 'Outgoing HTTPS accepts any certificate. For tests only.',
      scope: 'configuration',
      run() {
        tls.verifyPeer = false
      },
    },
    {
      name: 'disableCurlHostVerification',
      usage: 'disableCurlHostVerification()',
      summary: "Outgoing HTTPS accepts a valid certificate of any host's name. For tests only.",
      scope: 'configuration',
      run() {
        tls.verifyHost = false
      },
    },
    {
      name: 'setCurlCABundleFile',
      usage: 'setCurlCABundleFile(file)',
      summary:
        'Sets the PEM file of the authorities that outgoing HTTPS trusts, instead of the built-in ones.',
      scope: 'configuration',
      run(call) {
        tls.caBundleFile = fileArgument(call, 1, 'file')
      },
    },
    {
      name: 'setCurlClientCertAndKey',
      usage: 'setCurlClientCertAndKey(certificateFile, keyFile)',
      summary: 'Sets the PEM files of the certificate and key that outgoing HTTPS shows to servers that ask.',
      scope: 'configuration',
      run(call) {
        tls.clientCertificateFile = fileArgument(call, 1, 'certificateFile')
        tls.clientKeyFile = fileArgument(call, 2, 'keyFile')
      },
    },
  ]
}

function storageFunctions(settings: SettingsCollector): readonly HostFunction[] {
  return [
    {
      name: 'setReportDurability',
      usage: 'setReportDurability(level)',
      summary:
        'Sets what an acknowledged report has reached: "fsync" the disk, "os" the operating system, "none" memory.',
      scope: 'configuration',
      run(call) {
        const level = call.string(1, 'level')
        if (level !== 'fsync' && level !== 'os' && level !== 'none') {
          return call.fail('the durability of reports is "fsync", "os" or "none"')
        }
        settings.durability = level
      },
    },
    {
      name: 'setReportHistory',
      usage: 'setReportHistory(days, megabytes)',
      summary: 'Sets how long done reports are kept for getReports and how much of them; 0 keeps none.',
      scope: 'configuration',
      run(call) {
        const days = call.number(1, 'days', { min: 0, max: 36_500 })
        const megabytes =
          call.optionalNumber(2, 'megabytes', { min: 0, max: 100_000_000 }) ?? DEFAULT_HISTORY_MB
        settings.history = { days, megabytes }
      },
    },
  ]
}

function endpointArgument(call: HostCall, position: number, defaultPort: number | undefined) {
  const text = call.string(position, 'address')
  const parsed = parseEndpoint(text, defaultPort)
  if (!parsed.ok) return call.fail(parsed.reason)
  return { host: parsed.host, port: parsed.port }
}

function netmasksArgument(call: HostCall): readonly string[] {
  const masks = [...call.arrayOfStrings(1, 'netmasks')]
  for (const mask of masks) checkMask(call, mask)
  return masks
}

function netmaskArgument(call: HostCall): string {
  const mask = call.string(1, 'netmask')
  checkMask(call, mask)
  return mask
}

function checkMask(call: HostCall, mask: string): void {
  if (parseNetmask(mask.replace(/^!/, '')) === undefined) {
    return call.fail(
      `${JSON.stringify(mask)} is no netmask; write an address or ADDRESS/BITS, such as 192.0.2.0/24 or 2001:db8::/32`,
    )
  }
}

function passwordArgument(call: HostCall, position: number): string {
  const password = call.string(position, 'password')
  if (password === '') return call.fail('the password must not be empty')
  return password
}

/** An existing, readable file, relative to the configuration's folder, which is the working directory. */
function fileArgument(call: HostCall, position: number, name: string): string {
  const file = resolve(call.string(position, name))
  try {
    accessSync(file, constants.R_OK)
  } catch (error) {
    return call.fail(`${name} cannot be read: ${messageOf(error)}`)
  }
  return file
}
