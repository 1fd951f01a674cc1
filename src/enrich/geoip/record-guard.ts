/**
 * Stands between the library and the file: every record is checked as a whole before the library, which trusts what it
 * reads, decodes it. Belongs to one open database; on the thread that looks addresses up.
 */
import { LRUCache } from 'lru-cache'
import { TrackError } from '../../errors.ts'
import { checkRecord, type ValueSection } from './record-check.ts'

/** A decoded part of the file and the offset after it, as the library keeps them. */
export interface DecodedPart {
  readonly value: unknown
  readonly offset: number
}

/** Decoded parts that are kept because many records point to them, such as countries. */
const MAX_PARTS = 2000

/**
 * The library takes it for its cache of decoded parts, and asks it before it decodes a record or what a pointer means.
 */
export class RecordGuard {
  readonly #parts = new LRUCache<number, DecodedPart>({ max: MAX_PARTS })
  readonly #section: ValueSection
  #isChecked = false

  constructor(section: ValueSection) {
    this.#section = section
  }

  /** Says that the next part asked for is a record, not something inside one that was checked with it. */
  begin(): void {
    this.#isChecked = false
  }

  /** @throws TrackError TRK_GEOIP_UNREADABLE when a record begins here and is damaged; it is decoded no further. */
  get(offset: number): DecodedPart | undefined {
    const part = this.#parts.get(offset)
    if (part !== undefined || this.#isChecked) return part
    const fault = checkRecord(this.#section, offset)
    if (fault !== undefined) throw new TrackError('TRK_GEOIP_UNREADABLE', fault)
    this.#isChecked = true
    return undefined
  }

  set(offset: number, part: DecodedPart): void {
    this.#parts.set(offset, part)
  }
}
