/**
 * One report file: its segments and its index, for those who read. Whether it still grows is the business of
 * growing-file.ts. Store thread.
 */
import { rmSync } from 'node:fs'
import { TrackError } from '../../../errors.ts'
import { numberKey, PREFIX } from '../keys.ts'
import { isIntact, unseal } from '../sealed-value.ts'
import { isIndexed } from '../segment.ts'
import type { FileHandles } from './file-handles.ts'
import {
  buildIndex,
  type FileIndex,
  type FilePlace,
  GrowingIndex,
  type IndexKind,
  placeOf,
} from './file-index.ts'
import { indexPath, readIndexFile, writeIndexFile } from './index-file.ts'
import { readHead, RECORD_HEAD_BYTES } from './record.ts'
import { type ScanEnd, scanRecords } from './scan-records.ts'
import { SegmentTable } from './segment-table.ts'
import { DamagedPage } from './sorted-pages.ts'
import type { StagedSegment } from './report-batch.ts'

interface ReportFileOptions {
  readonly path: string
  /** No segment in it is lower. */
  readonly firstSegment: number
  readonly handles: FileHandles
}

export class ReportFile {
  readonly path: string
  readonly firstSegment: number
  readonly #handles: FileHandles
  #table = new SegmentTable()
  /** Undefined when it must be made anew. */
  #index: FileIndex | undefined = new GrowingIndex()
  #making: Promise<FileIndex> | undefined
  /** Counts what made the index out of date: what was begun before that is of no use. */
  #version = 0
  /** Its index in memory names what was erased. */
  #isStale = false
  #isRemoved = false
  /** Behind the last record that counts. */
  #sizeBytes = 0

  constructor({ path, firstSegment, handles }: ReportFileOptions) {
    this.path = path
    this.firstSegment = firstSegment
    this.#handles = handles
  }

  get table(): SegmentTable {
    return this.#table
  }

  get sizeBytes(): number {
    return this.#sizeBytes
  }

  /** -1 when it has none. */
  get lastSegment(): number {
    return this.#table.segmentAt(this.#table.length - 1)
  }

  /**
   * What is in a file of an earlier run; bytes that the last write left behind it, if it was cut short.
   *
   * @throws TrackError TRK_STORE_DAMAGED
   */
  load(sizeOnDisk: number): { readonly tornBytes: number } {
    const { path, firstSegment } = this
    const known = readIndexFile({ path, firstSegment, sizeBytes: sizeOnDisk }, this.#handles)
    if (known !== undefined) {
      this.#table = known.table
      this.#index = known.index
      this.#sizeBytes = sizeOnDisk
      return { tornBytes: 0 }
    }
    this.#index = undefined
    const { end, tornBytes, damage } = this.#scan(sizeOnDisk)
    if (damage !== undefined) throw this.#damaged(damage)
    this.#sizeBytes = end
    return { tornBytes }
  }

  #scan(sizeOnDisk: number): ScanEnd {
    const scan = scanRecords(this.#handles.read(this.path, 0, sizeOnDisk))
    for (let step = scan.next(); ; step = scan.next()) {
      if (step.done === true) return step.value
      const { at, head, sealed } = step.value
      const stored = unseal(numberKey(PREFIX.segment, head.segment), sealed)
      // Erased reports are not counted out before the index is made.
      const reports = isIndexed(stored) ? (stored[0] ?? 0) : 0
      this.#table.add({ ...head, at, sizeBytes: RECORD_HEAD_BYTES + head.roomBytes, reports })
    }
  }

  /** These segments are in the file now, and it ends here. */
  grown(segments: readonly StagedSegment[], places: readonly number[], sizeBytes: number): void {
    for (const [nth, { segment, roomBytes, oldestMs, newestMs, entries }] of segments.entries()) {
      const index = this.#table.length
      const row = { segment, at: places[nth] ?? 0, sizeBytes: RECORD_HEAD_BYTES + roomBytes }
      this.#table.add({ ...row, oldestMs, newestMs, reports: entries.length })
      if (this.#index instanceof GrowingIndex) for (const entry of entries) this.#index.add(index, entry)
    }
    this.#sizeBytes = sizeBytes
  }

  /** Nothing but the head of the file is there yet. */
  began(sizeBytes: number): void {
    this.#sizeBytes = sizeBytes
  }

  /**
   * The stored form of the segment at an index of the table.
   *
   * @throws TrackError TRK_STORE_DAMAGED when it is not what was written.
   */
  read(index: number): Uint8Array {
    const segment = this.#table.segmentAt(index)
    const at = this.#table.placeAt(index)
    const bytes = this.#handles.read(this.path, at, this.#table.sizeBytesAt(index))
    const head = readHead(bytes, 0)
    if (head?.segment !== segment) throw this.#damaged(`the record at byte ${at} is not what was written`)
    const sealed = bytes.subarray(RECORD_HEAD_BYTES, RECORD_HEAD_BYTES + head.sizeBytes)
    const key = numberKey(PREFIX.segment, segment)
    if (!isIntact(key, sealed)) throw this.#damaged(`the record at byte ${at} is not what was written`)
    return unseal(key, sealed)
  }

  /** Places of what has this hash, the newest first. */
  async *find(kind: IndexKind, hash: number): AsyncGenerator<FilePlace> {
    let last = Infinity
    while (!this.#isRemoved) {
      try {
        const index = this.#index ?? (await this.#madeIndex())
        for (const code of index.find(kind, hash)) {
          if (code >= last) continue
          last = code
          yield placeOf(code)
        }
        return
      } catch (error) {
        if (this.#isRemoved) return
        if (!(error instanceof DamagedPage)) throw error
        this.dropIndex()
      }
    }
  }

  /** Something in the file was erased; it is not found any more, and its index shall not name it either. */
  erased(): void {
    if (this.#index instanceof GrowingIndex) this.#isStale = true
    else this.dropIndex()
  }

  /** Nobody finds anything in it before its index was made anew. */
  dropIndex(): void {
    this.#version++
    this.#index = undefined
    this.#making = undefined
    const path = indexPath(this.path)
    this.#handles.forget(path)
    rmSync(path, { force: true })
  }

  /** Removes it from disk; who is still searching it finds no more. */
  remove(): void {
    this.#isRemoved = true
    this.dropIndex()
    this.#handles.forget(this.path)
    rmSync(this.path, { force: true })
  }

  /** Makes the index in memory, for a file that goes on growing. */
  async makeGrowingIndex(): Promise<void> {
    this.#index = await buildIndex(this.#table, (index) => this.read(index))
  }

  /** The file does not grow any more: its index leaves the memory, if there is room for it on disk. */
  async storeIndex(): Promise<void> {
    if (this.#isStale) this.dropIndex()
    this.#isStale = false
    if (this.#index instanceof GrowingIndex) await this.#store(this.#index)
    else if (this.#index === undefined) await this.#madeIndex()
  }

  /** Goes through the file once, however many ask for its index. */
  #madeIndex(): Promise<FileIndex> {
    if (this.#making !== undefined) return this.#making
    const making = this.#make()
    this.#making = making
    making.catch(() => {
      // Whoever asks next tries again.
      if (this.#making === making) this.#making = undefined
    })
    return making
  }

  async #make(): Promise<FileIndex> {
    const version = this.#version
    const built = await buildIndex(this.#table, (index) => this.read(index))
    if (version !== this.#version) return built
    this.#index = built
    await this.#store(built)
    if (version === this.#version) this.#making = undefined
    return built
  }

  async #store(index: GrowingIndex): Promise<void> {
    const { path, firstSegment } = this
    let isWritten = true
    try {
      await writeIndexFile(this, this.#table, index)
    } catch {
      // No room for it: whoever searches next has it made anew.
      isWritten = false
    }
    if (this.#index !== index || this.#isStale) return this.dropIndex()
    this.#handles.forget(indexPath(path))
    const of = { path, firstSegment, sizeBytes: this.#sizeBytes }
    this.#index = isWritten ? readIndexFile(of, this.#handles)?.index : undefined
  }

  #damaged(detail: string): TrackError {
    return new TrackError('TRK_STORE_DAMAGED', `${this.path}: ${detail}`)
  }
}
