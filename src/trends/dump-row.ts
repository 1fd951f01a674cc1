/**
 * A trend row as lines of JSON, for people and programs outside. Pure.
 *
 * One line holds one key: `{"key":…,"expires":…,"fields":{NAME:{"type":…,…}}}`. A row that is too large for a line goes
 * on in others, each with `part` and `parts`; each of its lists is the concatenation of those of its lines.
 */
import { bytesToText } from '../login/byte-string.ts'
import type { LastValue } from './last-value.ts'
import { originalKey } from './normalize-key.ts'
import {
  rangeOf,
  readCount,
  readLastValue,
  readSeenItems,
  readTop,
  readWindowCounts,
  type TrendQuery,
} from './read-trends.ts'
import { windowAt, type TrendField } from './trend-definition.ts'
import type { TrendRow } from './trend-row.ts'
import { hourOfWeek, readBaseline } from './weekly-baseline.ts'

/** Bytes of a line that a row is spread over, unless one entry alone takes more. */
const LINE_BYTES = 32 * 1024
/** More than a top field keeps. */
const ALL = 1_000_000
const HOURS_OF_WEEK = 168
const HOUR_SECONDS = 3600
/** What a line has beside its entries, and an entry beside its text: names of fields, brackets. */
const MARGIN_BYTES = 200

/** A field: what it says as a whole, and what it lists. */
interface FieldDump {
  readonly whole: Readonly<Record<string, unknown>>
  readonly list?: { readonly name: 'windows' | 'items' | 'hours'; readonly entries: readonly unknown[] }
}

/** @returns the lines, without their ends; at least one */
export function dumpRow(row: TrendRow, key: Uint8Array, nowSeconds: number): readonly string[] {
  const head = { key: bytesToText(originalKey(key)), expires: row.expiresAtSeconds }
  const parts = new Parts(byteLength(head))
  for (const field of row.definition.fields.values()) {
    const { whole, list } = dumpField({ row, field, nowSeconds, own: [] })
    parts.begin(field.name, { type: field.type, ...whole }, list?.name)
    for (const entry of list?.entries ?? []) parts.add(entry)
  }
  const all = parts.all
  return all.map((fields, index) =>
    JSON.stringify({ ...head, ...(all.length === 1 ? {} : { part: index + 1, parts: all.length }), fields }),
  )
}

function dumpField(query: TrendQuery): FieldDump {
  const { row, field } = query
  if (row.missingChunks(field).length > 0) return { whole: { incomplete: true } }
  const { type } = field
  switch (type) {
    case 'int':
    case 'hll':
    case 'countmin':
      return {
        whole: { value: readCount(query, rangeOf(query)) },
        list: { name: 'windows', entries: windowsOf(query) },
      }
    case 'seen': {
      const entries = readSeenItems(query).map(({ item, ...seen }) => ({ item: itemText(item), ...seen }))
      return { whole: {}, list: { name: 'items', entries } }
    }
    case 'top': {
      const entries = readTop(query, ALL).map(({ item, ...counted }) => ({
        item: itemText(item),
        ...counted,
      }))
      return { whole: {}, list: { name: 'items', entries } }
    }
    case 'last': {
      const last = readLastValue(query)
      return { whole: last === undefined ? {} : { value: plainValue(last.value), time: last.time } }
    }
    case 'baseline':
      return { whole: {}, list: { name: 'hours', entries: hoursOf(row, field, query.nowSeconds) } }
  }
  return type satisfies never
}

/** `[start in Unix seconds, number]` of each window that is not 0, newest first. */
function windowsOf(query: TrendQuery): readonly unknown[] {
  const { windowSeconds } = query.row.definition
  const newest = windowAt(query.row.definition, query.nowSeconds)
  return readWindowCounts(query).flatMap((count, index) =>
    count === 0 ? [] : [[(newest - index) * windowSeconds, count]],
  )
}

/** `{hour, mean, stddev, samples}` of each hour of the week that has a sample, Monday 00:00 being 0. */
function hoursOf(row: TrendRow, field: TrendField, nowSeconds: number): readonly unknown[] {
  const state = row.state(field)
  if (state?.kind !== 'whole') return []
  const { utcOffsetMinutes } = row.definition
  const hours = Array.from({ length: HOURS_OF_WEEK }, (_, back) => {
    const clock = { timeSeconds: nowSeconds - back * HOUR_SECONDS, utcOffsetMinutes }
    const baseline = readBaseline(state.bytes, clock)
    return baseline === undefined ? [] : [{ hour: hourOfWeek(clock), ...baseline }]
  })
  return hours.flat().toSorted((a, b) => a.hour - b.hour)
}

function plainValue(value: LastValue): unknown {
  return typeof value === 'object'
    ? Object.fromEntries(Array.from(value, ([key, entry]) => [String(key), entry]))
    : value
}

function itemText(item: Uint8Array): string {
  return bytesToText(originalKey(item))
}

/** Fields of the lines, filled one after another. */
class Parts {
  readonly #headBytes: number
  readonly #finished: Record<string, unknown>[] = []
  #fields: Record<string, unknown> = {}
  #bytes: number
  #open: { readonly name: string; readonly type: unknown; readonly listName: string } | undefined
  #list: unknown[] = []

  constructor(headBytes: number) {
    this.#headBytes = headBytes + MARGIN_BYTES
    this.#bytes = this.#headBytes
  }

  /** Begins a field, and its list if it has one. */
  begin(name: string, whole: Readonly<Record<string, unknown>>, listName: string | undefined): void {
    this.#makeRoom(byteLength(whole) + byteLength(name))
    this.#list = []
    this.#fields[name] = listName === undefined ? whole : { ...whole, [listName]: this.#list }
    this.#open = listName === undefined ? undefined : { name, type: whole['type'], listName }
  }

  /** Adds to the list of the field that was begun last; where there is no room, in the next line. */
  add(entry: unknown): void {
    const open = this.#open
    if (open === undefined) return
    if (this.#makeRoom(byteLength(entry))) {
      this.#list = []
      this.#fields[open.name] = { type: open.type, [open.listName]: this.#list }
    }
    this.#list.push(entry)
  }

  get all(): readonly Readonly<Record<string, unknown>>[] {
    return [...this.#finished, this.#fields]
  }

  /** @returns true when a new line was begun for it */
  #makeRoom(bytes: number): boolean {
    const isFull = this.#bytes + bytes > LINE_BYTES && this.#bytes > this.#headBytes
    if (isFull) {
      this.#finished.push(this.#fields)
      this.#fields = {}
      this.#bytes = this.#headBytes
    }
    this.#bytes += bytes + 1
    return isFull
  }
}

function byteLength(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value))
}
