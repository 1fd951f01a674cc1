/**
 * The configuration that the server goes by. A reload replaces it as a whole; a GeoIP file that was replaced on disk
 * replaces its part. Main thread.
 */
import type { Configuration } from '../config/load-configuration.ts'
import type { CollectedGeoDatabase } from '../config/settings-collector.ts'
import type { Settings } from '../config/settings.ts'
import type { NetmaskGroup } from '../login/netmask-group.ts'
import { aclOf } from './options-from-settings.ts'

export class InForce {
  #configuration: Configuration
  #endpointNames: ReadonlySet<string>
  #acl: NetmaskGroup

  constructor(configuration: Configuration) {
    this.#configuration = configuration
    this.#acl = aclOf(configuration.settings)
    this.#endpointNames = new Set(configuration.settings.customEndpoints)
  }

  get configuration(): Configuration {
    return this.#configuration
  }

  get settings(): Settings {
    return this.#configuration.settings
  }

  /** Asked for at every call of an endpoint. */
  get endpointNames(): ReadonlySet<string> {
    return this.#endpointNames
  }

  /** Who may use the HTTP listeners. The console may change it, until the next reload. */
  get acl(): NetmaskGroup {
    return this.#acl
  }

  /** @param acl what the listeners match against from now on */
  replace(configuration: Configuration, acl: NetmaskGroup): void {
    this.#configuration = configuration
    this.#acl = acl
    this.#endpointNames = new Set(configuration.settings.customEndpoints)
  }

  /** Keeps the new content of a file; false when the configuration has no such file any more. */
  replaceGeoDatabase(database: CollectedGeoDatabase): boolean {
    const isSame = ({ name, path }: CollectedGeoDatabase): boolean =>
      name === database.name && path === database.path
    const before = this.#configuration
    if (!before.geoDatabases.some(isSame)) return false
    const geoDatabases = before.geoDatabases.map((known) => (isSame(known) ? database : known))
    this.#configuration = { ...before, geoDatabases }
    return true
  }
}
