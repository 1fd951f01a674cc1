/**
 * The settings in force as text for the console, without any secret. Pure.
 */
import type { AlertPattern } from '../alerts/alert-matcher.ts'
import { DEFAULT_ACL } from '../config/default-acl.ts'
import { NUMBER_SETTINGS, type NumberSettingName } from '../config/number-settings.ts'
import type { Settings } from '../config/settings.ts'
import { parseAlertSink } from '../delivery/sinks/alert-sink.ts'
import type { SinkKeyValues } from '../delivery/sinks/sink-keys.ts'
import { parseWebHookDefinition } from '../delivery/web-hook.ts'
import { NetmaskGroup } from '../login/netmask-group.ts'
import type { ShownSetting } from './console-questions.ts'

type OtherSettings = Omit<Settings, NumberSettingName>

/** How each setting that is no plain number is shown; a new one does not compile until it stands here. */
const TEXTS: { readonly [Name in keyof OtherSettings]: (value: OtherSettings[Name]) => string } = {
  listeners: (listeners) =>
    list(
      listeners.map(({ host, port, tls }) => `${endpoint({ host, port })}${tls === null ? '' : ' (TLS)'}`),
    ),
  acl: list,
  webserverPassword: hidden,
  metricsNeedPassword: yesOrNo,
  controlSocket: (address) => (address === null ? 'none' : endpoint(address)),
  controlKey: hidden,
  luaStates: (states) => String(states ?? 'one per core but one'),
  reportThreads: (threads) => String(threads ?? 'as luaStates'),
  webHooks: (hooks) => list(hooks.map(({ name, keys }) => `${name} ${urlOf(name, keys)}`.trimEnd())),
  alertSinks: (sinks) =>
    list(sinks.map(({ name, type, keys }) => `${name} ${type} ${placeOf(name, type, keys)}`.trimEnd())),
  customStats: list,
  customEndpoints: list,
  backgrounds: list,
  schedules: (schedules) =>
    list(
      schedules.map(
        ({ background, when }) =>
          `${background} ${when.kind === 'cron' ? when.pattern : `every ${when.seconds} s`}`,
      ),
    ),
  hasReport: yesOrNo,
  durability: String,
  historyDays: String,
  historyMegabytes: String,
  alertHistoryDays: String,
  alertRoutes: (routes) => list(routes.map((route) => `${patternText(route)} to ${route.sinks.join('+')}`)),
  alertSilences: (silences) => list(silences.map((silence) => `${silence.id} ${patternText(silence)}`)),
  maintenanceWindows: (windows) =>
    list(windows.map((window) => `${window.id} ${patternText(window)} at ${window.cron}`)),
  tlsClient: (tls) =>
    [
      `verifyPeer ${yesOrNo(tls.verifyPeer)}`,
      `verifyHost ${yesOrNo(tls.verifyHost)}`,
      `caBundleFile ${tls.caBundleFile ?? 'built in'}`,
      `clientCertificateFile ${tls.clientCertificateFile ?? 'none'}`,
    ].join(', '),
}

const UNITS: Partial<Record<keyof OtherSettings, string>> = {
  historyDays: 'days',
  historyMegabytes: 'megabytes',
  alertHistoryDays: 'days',
}

/**
 * Every setting, sorted by name.
 *
 * @param complete - fills in the defaults
 */
export function showSettings(
  settings: Settings,
  complete: (collected: unknown) => Settings,
): readonly ShownSetting[] {
  const defaults = complete({ listeners: [], acl: masksOf(DEFAULT_ACL) })
  const numbers = Object.entries(NUMBER_SETTINGS).map(([name, { unit, preset }]) => {
    const value = numberOf(settings, name)
    return { name, value: String(value), unit, isDefault: value === preset }
  })
  const others = otherNames().map((name) => {
    const value = textOf(settings, name)
    return { name, value, unit: UNITS[name] ?? '', isDefault: value === textOf(defaults, name) }
  })
  return [...numbers, ...others].toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

function textOf<Name extends keyof OtherSettings>(
  settings: { readonly [Known in Name]: OtherSettings[Known] },
  name: Name,
): string {
  return TEXTS[name](settings[name])
}

function otherNames(): readonly (keyof OtherSettings)[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the record has exactly these keys
  return Object.keys(TEXTS) as (keyof OtherSettings)[]
}

function numberOf(settings: Settings, name: string): unknown {
  return Object.entries(settings).find(([known]) => known === name)?.[1]
}

/** As the ACL itself lists them. */
function masksOf(masks: readonly string[]): readonly string[] {
  const group = new NetmaskGroup()
  for (const mask of masks) group.addMask(mask)
  return group.masks()
}

function list(texts: readonly string[]): string {
  return texts.length === 0 ? 'none' : texts.join(', ')
}

function hidden(secret: string | null): string {
  return secret === null ? 'none' : '(hidden)'
}

function yesOrNo(is: boolean): string {
  return is ? 'yes' : 'no'
}

function endpoint({ host, port }: { readonly host: string; readonly port: number }): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

/** Without credentials, as the log and the metrics have it. */
function urlOf(name: string, keys: Readonly<Record<string, string>>): string {
  const parsed = parseWebHookDefinition(name, new Map(Object.entries(keys)))
  return parsed.ok ? parsed.definition.url : ''
}

function patternText({ rule = '*', key = '*', leastSeverity, mostSeverity }: AlertPattern): string {
  const least = leastSeverity === undefined ? '' : ` from ${leastSeverity}`
  const most = mostSeverity === undefined ? '' : ` to ${mostSeverity}`
  return `${rule} of ${key}${least}${most}`
}

/** The server, the URL or the script, and none of the other keys: some are secret. */
function placeOf(name: string, type: string, keys: SinkKeyValues): string {
  const parsed = parseAlertSink(name, type, keys)
  return parsed.ok ? parsed.definition.place : ''
}
