/**
 * Watches the GeoIP files of the configuration and has new ones taken over. Main thread; files are read on a thread of
 * their own. They are looked at every minute rather than watched: that finds a file that was replaced by renaming, over
 * a network file system, or through a link, and costs one stat.
 *
 * A file that has changed since it was read is read again when two looks in a row find it the same, so not while it is
 * being written. One that is damaged is refused: the old content stays, and the file is not tried again before it
 * changes.
 */
import { stat } from 'node:fs/promises'
import { loadGeoFile } from '../config/load-geo-file.ts'
import type { CollectedGeoDatabase } from '../config/settings-collector.ts'
import { fileVersion } from '../enrich/geoip/geo-database-file.ts'
import { messageOf } from '../errors.ts'
import type { EmitEvent } from '../events/server-events.ts'
import type { Log } from '../telemetry/log.ts'
import type { ReloadOutcome } from './reloader.ts'

interface GeoFilesDeps {
  readonly log: Log
  readonly metrics: {
    readonly geoReloads: {
      inc(labels: { readonly database: string; readonly status: 'ok' | 'failed' }): void
    }
  }
  readonly emit: EmitEvent
  /** What is in use. */
  readonly databases: () => readonly CollectedGeoDatabase[]
  /** Puts a new content to use, unless the configuration has changed meanwhile. */
  readonly replace: (database: CollectedGeoDatabase) => void
  /** Milliseconds between two looks. */
  readonly everyMs: number
}

export interface GeoFiles {
  readonly start: () => void
  /** One look at every file; once started, it happens by itself. */
  readonly look: () => Promise<void>
  readonly stop: () => void
  /** Reads every file again now, whether or not it has changed. Not OK when one is refused, which the reason names. */
  readonly reload: () => Promise<ReloadOutcome>
}

/** Stands for the version of a file that cannot be looked at. */
const GONE = 'gone'

export function createGeoFiles({ log, metrics, emit, databases, replace, everyMs }: GeoFilesDeps): GeoFiles {
  /** What the last look found, by path, where it is not what is in use. */
  let changed: ReadonlyMap<string, string> = new Map()
  /** Versions that were tried and refused, by path. */
  const refused = new Map<string, string>()
  let timer: NodeJS.Timeout | undefined
  let isLooking = false

  /** Answers what is wrong with the file; undefined when it is in use now. */
  async function take(known: CollectedGeoDatabase): Promise<string | undefined> {
    const { name, path } = known
    // Before it is read: if it changes meanwhile, the next look sees to it.
    const version = await versionOf(path)
    try {
      const database = await loadGeoFile(known)
      replace(database)
      refused.delete(path)
      metrics.geoReloads.inc({ database: name, status: 'ok' })
      emit('geoip-reload', name, path)
      log.info('a GeoIP database was loaded again', {
        database: name,
        path,
        builtAt: new Date(database.builtAtMs).toISOString(),
      })
      return undefined
    } catch (error) {
      refused.set(path, version)
      metrics.geoReloads.inc({ database: name, status: 'failed' })
      emit('geoip-failed', name, messageOf(error))
      log.error('a GeoIP file was replaced by one that cannot be used; the old content stays in use', {
        database: name,
        error: messageOf(error),
      })
      return messageOf(error)
    }
  }

  async function look(): Promise<void> {
    const found = new Map<string, string>()
    for (const database of databases()) {
      const { path } = database
      const version = await versionOf(path)
      if (version === textOf(database.version) || version === refused.get(path)) continue
      if (changed.get(path) === version) await take(database)
      else found.set(path, version)
    }
    changed = found
  }

  return {
    start() {
      timer = setInterval(() => {
        if (isLooking) return
        isLooking = true
        void look().finally(() => {
          isLooking = false
        })
      }, everyMs)
    },
    look,
    stop: () => clearInterval(timer),
    async reload() {
      const reasons: string[] = []
      for (const database of databases()) {
        const reason = await take(database)
        if (reason !== undefined) reasons.push(reason)
      }
      return reasons.length === 0 ? { ok: true } : { ok: false, reason: reasons.join('; ') }
    },
  }
}

async function versionOf(path: string): Promise<string> {
  try {
    return textOf(fileVersion(await stat(path)))
  } catch {
    // Reading it will say why.
    return GONE
  }
}

function textOf({ sizeBytes, modifiedAtMs, inode }: CollectedGeoDatabase['version']): string {
  return `${sizeBytes} ${modifiedAtMs} ${inode}`
}
