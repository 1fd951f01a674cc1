/**
 * The one table of everything that Lua code can call beyond the language itself. A new function is an entry in the file
 * of its topic; it shows up here, in the manual's check and in help by itself.
 */
import type { SettingsCollector } from '../../config/settings-collector.ts'
import type { HostFunction, HostType } from '../host-function.ts'
import { addressFunctions, addressTypes } from './addresses.ts'
import { alertFunctions } from './alerts.ts'
import { dnsFunctions, dnsResolverType, type DnsDeps } from './dns.ts'
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
  readonly stateDirectory: () => string
  readonly shutdown: () => void
}

export interface Bindings {
  readonly functions: readonly HostFunction[]
  readonly types: readonly HostType[]
}

export function createBindings(deps: BindingDeps): Bindings {
  return {
    functions: [
      ...serverSettingFunctions(deps.settings),
      ...registrationFunctions(deps),
      ...webHookFunctions(deps),
      ...statisticsFunctions(deps),
      ...geoDatabaseFunctions({ settings: deps.settings, ...deps.geo }),
      ...addressFunctions(),
      ...geographyFunctions(),
      ...trendFunctions(deps.trends),
      ...loggingFunctions(deps.log),
      ...httpFunctions(deps.http),
      ...dnsFunctions(deps.dns),
      ...storedReportFunctions(deps.ask),
      ...alertFunctions(deps),
      ...processFunctions(deps),
    ],
    types: [...addressTypes(), geoDatabaseType(), dnsResolverType(), trendDatabaseType(deps.trends)],
  }
}
