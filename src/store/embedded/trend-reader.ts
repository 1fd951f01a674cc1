/**
 * Reads trend rows on a policy worker, straight from the database that the store thread writes. A view is a snapshot of
 * LevelDB: commits go on meanwhile and are not seen. Must not write.
 */
import type { MessagePort } from 'node:worker_threads'
import { TrackError } from '../../errors.ts'
import type { TrendReader, TrendView } from '../store.ts'
import { Database } from './database.ts'
import { chunkKey, databaseKey, numberKey, PREFIX } from './keys.ts'
import { readNumbers } from './meta.ts'
import type { FromReader, ToReader } from './messages.ts'
import { RowOwners } from './row-owners.ts'
import { decodeRow } from './row-value.ts'
import { unseal } from './sealed-value.ts'

/** What a policy worker needs to open a reader; `port` must be in the transfer list of the message that carries it. */
export interface TrendReaderSetup {
  readonly databaseDirectory: string
  /** Memory of RowOwners. */
  readonly rowOwners: SharedArrayBuffer
  /** The worker's number, as in the stamps of its commits. */
  readonly worker: number
  readonly port: MessagePort
}

/** Opens the reader of one worker; resolves when it can be used. */
export async function openTrendReader(setup: TrendReaderSetup): Promise<TrendReader> {
  const reader = new EmbeddedTrendReader(setup)
  await reader.opened()
  return reader
}

class EmbeddedTrendReader implements TrendReader {
  readonly #setup: TrendReaderSetup
  readonly #workerKey: Uint8Array
  readonly #owners: RowOwners
  #database: Database | undefined
  #openViews = 0
  #isReleasing = false
  #isClosed = false
  /** Settled when the database is open; replaced when it is released. */
  #opened = Promise.withResolvers<void>()
  /** Opening and closing happen one after another. */
  #transition: Promise<void> = Promise.resolve()

  constructor(setup: TrendReaderSetup) {
    this.#setup = setup
    this.#owners = new RowOwners(setup.rowOwners)
    this.#workerKey = numberKey(PREFIX.worker, setup.worker)
    setup.port.on('message', (message: ToReader) => this.#receive(message))
    // The main thread is gone: nothing will be opened again.
    setup.port.on('close', () => this.#opened.reject(new TrackError('TRK_STOPPING')))
    this.#opened.promise.catch(() => undefined)
    setup.port.unref()
  }

  async opened(): Promise<void> {
    this.#setup.port.ref()
    await this.#opened.promise
    this.#setup.port.unref()
  }

  openView(): TrendView | Promise<TrendView> {
    const database = this.#database
    if (database === undefined || this.#isReleasing) return this.#openViewLater()
    const version = this.#owners.version()
    const snapshot = database.snapshot()
    this.#openViews++
    let isOpen = true
    return {
      appliedCommit: readNumbers(snapshot, this.#workerKey)?.[0] ?? -1,
      readRow(name, key) {
        const rowKey = databaseKey(PREFIX.row, name, key)
        const sealed = snapshot.get(rowKey)
        return sealed === undefined ? undefined : decodeRow(rowKey, sealed).bytes
      },
      readChunk(name, key, chunk) {
        const rowChunkKey = chunkKey(name, key, chunk)
        const sealed = snapshot.get(rowChunkKey)
        return sealed === undefined ? undefined : unseal(rowChunkKey, sealed)
      },
      watchRow: (name, key) =>
        this.#owners.watch(databaseKey(PREFIX.row, name, key), this.#setup.worker, version),
      countRows: (name) => readNumbers(snapshot, databaseKey(PREFIX.rowCount, name))?.[0] ?? 0,
      close: () => {
        if (!isOpen) return
        isOpen = false
        snapshot.close()
        this.#openViews--
        this.#releaseIfIdle()
      },
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#transition
    await this.#database?.close()
    this.#database = undefined
    this.#setup.port.close()
  }

  async #openViewLater(): Promise<TrendView> {
    if (this.#isClosed) throw new TrackError('TRK_STOPPING')
    await this.#opened.promise
    return await this.openView()
  }

  #receive(message: ToReader): void {
    switch (message.type) {
      case 'resume':
        this.#isReleasing = false
        this.#transition = this.#transition.then(() => this.#open())
        break
      case 'release':
        this.#isReleasing = true
        this.#releaseIfIdle()
        break
      default:
        message satisfies never
    }
  }

  async #open(): Promise<void> {
    if (this.#isClosed) return
    try {
      this.#database ??= await Database.open(this.#setup.databaseDirectory)
      this.#opened.resolve()
    } catch (error) {
      this.#opened.reject(error)
    }
  }

  #releaseIfIdle(): void {
    if (!this.#isReleasing || this.#openViews > 0) return
    this.#transition = this.#transition.then(() => this.#release())
  }

  async #release(): Promise<void> {
    // Told to go on before it came to this.
    if (!this.#isReleasing) return
    const database = this.#database
    this.#database = undefined
    this.#opened = Promise.withResolvers()
    this.#opened.promise.catch(() => undefined)
    await database?.close()
    this.#setup.port.postMessage({ type: 'released' } satisfies FromReader)
  }
}
