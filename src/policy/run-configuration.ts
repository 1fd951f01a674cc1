/**
 * What every Lua state that runs a policy does with the configuration that the configuration thread has read: of policy workers
 * and of replays. Lives on the thread of the state.
 */
import type { GeoDatabase } from '../enrich/geoip/geo-database.ts'
import { TrackError } from '../errors.ts'
import type { BindingDeps } from '../lua/bindings/table.ts'
import type { LuaState } from '../lua/lua-state.ts'

interface ReadConfiguration {
  readonly configSource: Uint8Array
  /** By which messages name it. */
  readonly configFile: string
}

/**
 * @throws TrackError TRK_CONFIG_INVALID when the file fails, which it did not on the configuration thread: it or a module
 *   that it loads does something else here.
 */
export async function runConfiguration(
  lua: LuaState,
  { configSource, configFile }: ReadConfiguration,
): Promise<void> {
  const outcome = await lua.runSource(configSource, configFile)
  if (!outcome.ok) throw new TrackError('TRK_CONFIG_INVALID', outcome.error.message)
}

/** The GeoIP databases that the configuration thread has opened; there are no others. */
export function openedGeoDatabases(databases: ReadonlyMap<string, GeoDatabase>): BindingDeps['geo'] {
  return {
    open: (name) => {
      throw new TrackError('TRK_CONFIG_INVALID', `the GeoIP database ${name} was not opened at the start`)
    },
    find: (name) => databases.get(name),
  }
}
