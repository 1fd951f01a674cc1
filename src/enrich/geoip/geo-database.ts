/**
 * One GeoIP database: an open MaxMind DB file and the questions that policies ask it. Each thread opens its own over
 * the memory that all share. A look-up never throws and never hangs: what the file does not know is `''`, 0 or false,
 * and so is what it says in a damaged place, which is counted.
 */
import { LRUCache } from 'lru-cache'
import { Reader, type Response } from 'maxmind'
import { messageOf, TrackError } from '../../errors.ts'
import {
  checkDatabase,
  dataSection,
  findMetadata,
  metadataSection,
  type TreeShape,
} from './database-check.ts'
import { countryOf, type GeoRecord, geoRecordOf, ispOf, valueAt } from './geo-record.ts'
import { lookupAddress } from './lookup-address.ts'
import { checkRecord } from './record-check.ts'
import { RecordGuard } from './record-guard.ts'

export interface GeoDatabaseOptions {
  /** Called at each look-up that met damage in the file, once per look-up. It must not throw. */
  readonly onDamage?: () => void
  /**
   * Addresses whose records are kept decoded; the one looked up longest ago goes. Default 2000: a look-up costs about
   * 1 µs, of one that is kept 0.1 µs, and a policy asks about the same address several times. 0 keeps none.
   */
  readonly cacheEntries?: number
}

const DEFAULT_CACHE_ENTRIES = 2000

/** A decoded record; the box tells "looked up, unknown" from "not looked up". */
interface Found {
  readonly record: unknown
}

type Metadata = Reader<Response>['metadata']

/** Where records come from: an open file, or what a policy's test says. */
export interface RecordSource {
  readonly builtAt: Date
  readonly type: string
  /** 4: it knows no IPv6 addresses. */
  readonly ipVersion: 4 | 6
  /** undefined when the address is not known; throws where the source is damaged. */
  readonly read: (address: string) => unknown
}

export class GeoDatabase {
  /** What the configuration calls it. */
  readonly name: string
  readonly path: string
  #source: RecordSource
  readonly #found: LRUCache<string, Found> | undefined
  readonly #onDamage: (() => void) | undefined
  #damagedLookups = 0

  /** Files are opened by openGeoDatabase. */
  constructor(
    identity: { readonly name: string; readonly path: string },
    source: RecordSource,
    options: GeoDatabaseOptions,
  ) {
    const { cacheEntries = DEFAULT_CACHE_ENTRIES } = options
    this.name = identity.name
    this.path = identity.path
    this.#source = source
    this.#found = cacheEntries === 0 ? undefined : new LRUCache({ max: cacheEntries })
    this.#onDamage = options.onDamage
  }

  /** When the file was made. */
  get builtAt(): Date {
    return this.#source.builtAt
  }

  /** What the file calls itself: `GeoLite2-City`. */
  get type(): string {
    return this.#source.type
  }

  /**
   * Answers from a newer file from here on; Lua code that holds this object need not ask for it again.
   *
   * @throws TrackError TRK_GEOIP_UNREADABLE as openGeoDatabase does; the old file stays.
   */
  replace(bytes: SharedArrayBuffer): void {
    this.#source = openOrThrow(this.path, bytes)
    this.#found?.clear()
  }

  /** Look-ups since the opening that met damage in the file. */
  get damagedLookups(): number {
    return this.#damagedLookups
  }

  /** The two-letter code of the address's country, `''` when unknown. */
  lookupCountry(address: string): string {
    return countryOf(this.#lookup(address))
  }

  /** The operator of the address's network, `''` when unknown. */
  lookupIsp(address: string): string {
    return ispOf(this.#lookup(address))
  }

  /** Where the address is; a record of `''` and 0 when unknown. */
  lookupCity(address: string): GeoRecord {
    return geoRecordOf(this.#lookup(address))
  }

  /** The text at a path of map keys and array positions, `''` when there is none there. */
  lookupString(address: string, path: readonly string[]): string {
    const value = valueAt(this.#lookup(address), path)
    return typeof value === 'string' ? value : ''
  }

  /** The whole number at a path, 0 when there is none, or a negative one. Beyond 2^53 it is rounded. */
  lookupUnsigned(address: string, path: readonly string[]): number {
    const value = valueAt(this.#lookup(address), path)
    const number = typeof value === 'bigint' ? Number(value) : value
    return typeof number === 'number' && Number.isInteger(number) && number >= 0 ? number : 0
  }

  /** The boolean at a path, false when there is none. */
  lookupBoolean(address: string, path: readonly string[]): boolean {
    return valueAt(this.#lookup(address), path) === true
  }

  /** The number at a path, 0 when there is none. A whole number counts: the decoded value no longer tells. */
  lookupDouble(address: string, path: readonly string[]): number {
    const value = valueAt(this.#lookup(address), path)
    return typeof value === 'number' ? value : 0
  }

  #lookup(address: string): unknown {
    const known = this.#found?.get(address)
    if (known !== undefined) return known.record
    const target = lookupAddress(address, this.#source.ipVersion)
    if (target === undefined) return undefined
    const record = this.#read(target)
    this.#found?.set(address, { record })
    return record
  }

  #read(target: string): unknown {
    try {
      return this.#source.read(target)
    } catch {
      // The guard's finding, or the tree led out of the file. Either way this place of the file cannot be trusted.
      this.#damagedLookups += 1
      this.#onDamage?.()
      return undefined
    }
  }
}

/**
 * Opens a file that `loadGeoDatabaseFile` has read. The path is for messages and the `path` property only.
 *
 * @throws TrackError TRK_GEOIP_UNREADABLE with path and reason when the file is damaged: metadata, tree and data that do
 *   not fit together, or, in a sample of its records, one that is not well formed.
 */
export function openGeoDatabase(
  name: string,
  path: string,
  bytes: SharedArrayBuffer,
  options: GeoDatabaseOptions = {},
): GeoDatabase {
  return new GeoDatabase({ name, path }, openOrThrow(path, bytes), options)
}

function openOrThrow(path: string, bytes: SharedArrayBuffer): RecordSource {
  const file = openFile(Buffer.from(bytes))
  if (typeof file !== 'string') return file
  throw new TrackError('TRK_GEOIP_UNREADABLE', `${path}: ${file}; the file is damaged, fetch it again`)
}

/** The open file, or what is wrong with it. */
function openFile(bytes: Buffer): RecordSource | string {
  const start = findMetadata(bytes)
  if (start === undefined) return 'it has no MaxMind DB metadata'
  const metadataFault = checkRecord(metadataSection(bytes, start), start)
  if (metadataFault !== undefined) return `in the metadata, ${metadataFault}`
  try {
    const { metadata } = new Reader(bytes)
    const shape = shapeOf(metadata)
    if (typeof shape === 'string') return shape
    const data = dataSection(bytes, shape, start)
    const fault = checkDatabase(shape, data)
    if (fault !== undefined) return fault
    return recordsOf(bytes, new RecordGuard(data), shape.ipVersion)
  } catch (error) {
    // The library's own findings in the metadata, or a tree that leads out of the file.
    return messageOf(error)
  }
}

function recordsOf(bytes: Buffer, guard: RecordGuard, ipVersion: 4 | 6): RecordSource {
  const reader = new Reader<Response>(bytes, { cache: guard })
  return {
    builtAt: reader.metadata.buildEpoch,
    type: reader.metadata.databaseType,
    ipVersion,
    read(address) {
      guard.begin()
      return reader.get(address)
    },
  }
}

/** The metadata are what the file says, whatever their declared types. */
function shapeOf(metadata: Metadata): (TreeShape & { readonly ipVersion: 4 | 6 }) | string {
  const { nodeCount, recordSize, ipVersion, binaryFormatMajorVersion, databaseType, buildEpoch } = metadata
  if (binaryFormatMajorVersion !== 2)
    return `its format version is ${String(binaryFormatMajorVersion)}, not 2`
  if (!Number.isSafeInteger(nodeCount) || nodeCount < 1) return 'its search tree is empty'
  if (ipVersion !== 4 && ipVersion !== 6)
    return `its addresses are of version ${String(ipVersion)}, not 4 or 6`
  if (typeof databaseType !== 'string') return 'it does not say what type of database it is'
  if (Number.isNaN(buildEpoch.getTime())) return 'it does not say when it was made'
  return { nodeCount, recordBits: recordSize, treeSizeBytes: (nodeCount * recordSize) / 4, ipVersion }
}
