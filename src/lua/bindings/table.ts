/**
 * The one table of everything that Lua code can call beyond the language itself. A new function is an entry in the file
 * of its topic; it shows up here, in the manual's check and in help by itself.
 */
import type { SettingsCollector } from '../../config/settings-collector.ts'
import type { HostFunction, HostType } from '../host-function.ts'
import { addressFunctions, addressTypes } from './addresses.ts'
import type { AskServer } from './ask-server.ts'
import { consoleActionFunctions } from './console-actions.ts'
import { consoleHelpFunctions, type FunctionGroup } from './console-help.ts'
import { consoleShowFunctions } from './console-shows.ts'
import { consoleStoreFunctions } from './console-store.ts'
import { alertSinkFunctions } from './alert-sinks.ts'
import { alertFunctions } from './alerts.ts'
import { dnsFunctions, dnsResolverType, type DnsDeps } from './dns.ts'
import { dumpFunctions } from './dump-trends.ts'
import { geoDatabaseFunctions, geoDatabaseType, type GeoDatabaseDeps } from './geo-databases.ts'
import { geographyFunctions } from './geography.ts'
import { httpFunctions, type HttpDeps } from './http-requests.ts'
import { loggingFunctions, type WriteLog } from './logging.ts'
import { processFunctions } from './process.ts'
import { registrationFunctions, type Registrations } from './registrations.ts'
import { serverSettingFunctions } from './server-settings.ts'
import { statisticsFunctions } from './statistics.ts'
import { trendDatabaseType, trendFunctions, type TrendDeps } from './trend-databases.ts'
import { storedReportFunctions, type AskStore } from './stored-reports.ts'
import { webHookFunctions } from './web-hooks.ts'

export interface BindingDeps {
  readonly settings: SettingsCollector
  readonly registrations: Registrations
  readonly log: WriteLog
  readonly geo: Omit<GeoDatabaseDeps, 'settings'>
  readonly http: HttpDeps
  readonly dns: DnsDeps
  readonly trends: TrendDeps
  readonly ask: AskStore
  readonly isWebHook: (name: string) => boolean
  readonly isCustomStat: (name: string) => boolean
  /** Asked by commands of the console, which no policy state runs. */
  readonly askServer: AskServer
  /** Names of the Lua state's globals and of what is in global tables. */
  readonly globalNames: () => readonly string[]
  readonly stateDirectory: () => string
  readonly shutdown: () => void
}

export interface Bindings {
  readonly functions: readonly HostFunction[]
  readonly types: readonly HostType[]
}

export function createBindings(deps: BindingDeps): Bindings {
  const types = [...addressTypes(), geoDatabaseType(), dnsResolverType(), trendDatabaseType(deps.trends)]
  const groups: readonly FunctionGroup[] = [
    { title: 'Console', functions: consoleFunctions(deps, () => [...groups, ...methodGroups(types)]) },
    { title: 'Server settings', functions: serverSettingFunctions(deps.settings, deps.askServer) },
    { title: 'Functions of the policy', functions: registrationFunctions(deps) },
    { title: 'Webhooks', functions: webHookFunctions(deps) },
    { title: 'Alerts', functions: alertFunctions(deps) },
    { title: 'Alert sinks', functions: alertSinkFunctions(deps) },
    { title: 'Custom statistics', functions: statisticsFunctions(deps) },
    { title: 'GeoIP', functions: geoDatabaseFunctions({ settings: deps.settings, ...deps.geo }) },
    { title: 'Addresses and networks', functions: addressFunctions() },
    { title: 'Geography and time', functions: geographyFunctions() },
    {
      title: 'Trends',
      functions: [
        ...trendFunctions(deps.trends),
        ...dumpFunctions({ registry: deps.trends.registry, ask: deps.ask }),
      ],
    },
    { title: 'Log', functions: loggingFunctions(deps.log) },
    { title: 'HTTP', functions: httpFunctions(deps.http) },
    { title: 'DNS', functions: dnsFunctions(deps.dns) },
    { title: 'Stored reports and webhooks', functions: storedReportFunctions(deps.ask) },
    { title: 'The server itself', functions: processFunctions(deps) },
  ]
  return { functions: groups.flatMap(({ functions }) => functions), types }
}

function consoleFunctions(
  deps: BindingDeps,
  groups: () => readonly FunctionGroup[],
): readonly HostFunction[] {
  return [
    ...consoleShowFunctions(deps.askServer),
    ...consoleStoreFunctions(deps.ask, deps.trends),
    ...consoleActionFunctions({ ask: deps.askServer, settings: deps.settings }),
    ...consoleHelpFunctions({ groups, globalNames: deps.globalNames }),
  ]
}

function methodGroups(types: readonly HostType[]): readonly FunctionGroup[] {
  return types.map(({ name, methods }) => ({ title: `Methods of ${name}`, functions: methods }))
}
