/**
 * What is usual at this hour of the week (field type baseline): weighted mean and variance of a number in each of the 168
 * hours, where old samples count less and less. The table is its encoded bytes and is never changed in place. Pure; lives
 * on policy workers and on the store thread.
 *
 * Encoding: 0x20, then the hours in use, ascending, 29 bytes each: hour of week, hours since 1970 of the last sample,
 * weight, mean, sum of squared deviations (doubles).
 */
import { ByteReader } from './byte-reader.ts'
import { ByteWriter } from './byte-writer.ts'

const VERSION = 0x20
const CELL_BYTES = 29
const HOURS_OF_WEEK = 168
const HOUR_SECONDS = 3600
/** 1970-01-01 was a Thursday; the week begins on Monday. */
const EPOCH_HOUR_OF_WEEK = 72
/** After this many hours a sample counts half: eight weeks. */
const HALF_LIFE_HOURS = 8 * HOURS_OF_WEEK
/** Fewer samples than this (decayed) tell nothing yet: about five weeks of one sample a week. */
const LEARNING_SAMPLES = 4
/** A score is cut here, so that a deviation from a number that never varied stays finite. */
const LARGEST_SCORE = 1000
const EMPTY = Uint8Array.of(VERSION)

export interface Baseline {
  readonly mean: number
  readonly stddev: number
  /** Decayed number of samples: one of eight weeks ago counts half. */
  readonly samples: number
}

/** A moment as baselines see it. */
export interface BaselineClock {
  /** Unix seconds. */
  readonly timeSeconds: number
  /** Local time minus UTC. */
  readonly utcOffsetMinutes: number
}

interface Cell {
  readonly hourOfWeek: number
  readonly stampHours: number
  readonly weight: number
  readonly mean: number
  readonly squares: number
}

export function emptyBaseline(): Uint8Array {
  return EMPTY
}

/** Whether bytes are a table; the other functions may only be given such. */
export function isBaseline(bytes: Uint8Array): boolean {
  if (bytes[0] !== VERSION || (bytes.length - 1) % CELL_BYTES !== 0) return false
  let before = -1
  for (let offset = 1; offset < bytes.length; offset += CELL_BYTES) {
    const hour = bytes[offset] ?? 0
    if (hour <= before || hour >= HOURS_OF_WEEK) return false
    before = hour
  }
  return true
}

/** 0 for Monday 00:00-01:00 in local time, up to 167. */
export function hourOfWeek({ timeSeconds, utcOffsetMinutes }: BaselineClock): number {
  const hours = Math.floor((timeSeconds + utcOffsetMinutes * 60) / HOUR_SECONDS) + EPOCH_HOUR_OF_WEEK
  return ((hours % HOURS_OF_WEEK) + HOURS_OF_WEEK) % HOURS_OF_WEEK
}

/**
 * The table after a sample. Source of the formula: D. H. D. West, "Updating mean and variance estimates: an improved
 * method", CACM 22 (1979), with the old weight and squares first scaled by 2^(-hours/1344). A sample that comes late
 * counts in full.
 */
export function baselineAdd(table: Uint8Array, sample: number, clock: BaselineClock): Uint8Array {
  const hour = hourOfWeek(clock)
  const nowHours = Math.floor(clock.timeSeconds / HOUR_SECONDS)
  const offset = offsetOf(table, hour)
  const isKnown = table[offset] === hour
  const old = isKnown
    ? cellAt(table, offset)
    : { hourOfWeek: hour, stampHours: nowHours, weight: 0, mean: 0, squares: 0 }
  const decay = decayOver(nowHours - old.stampHours)
  const weight = old.weight * decay + 1
  const deviation = sample - old.mean
  const mean = old.mean + deviation / weight
  const squares = old.squares * decay + deviation * (sample - mean)

  const writer = new ByteWriter(table.length + CELL_BYTES)
  writer.writeBytes(table.subarray(0, offset))
  writer.writeByte(hour)
  writer.writeUint32(Math.max(nowHours, old.stampHours))
  writer.writeDouble(weight)
  writer.writeDouble(mean)
  writer.writeDouble(squares)
  writer.writeBytes(table.subarray(isKnown ? offset + CELL_BYTES : offset))
  return writer.finish()
}

/** What is usual in the clock's hour of the week; undefined when there is no sample for it. */
export function readBaseline(table: Uint8Array, clock: BaselineClock): Baseline | undefined {
  const offset = offsetOf(table, hourOfWeek(clock))
  if (table[offset] !== hourOfWeek(clock)) return undefined
  const { stampHours, weight, mean, squares } = cellAt(table, offset)
  const samples = weight * decayOver(Math.floor(clock.timeSeconds / HOUR_SECONDS) - stampHours)
  return { mean, stddev: weight > 1 ? Math.sqrt(Math.max(0, squares / (weight - 1))) : 0, samples }
}

/**
 * Standard deviations between a number and what is usual, from -1000 to 1000; undefined while learning. Where every
 * sample was the same, that number scores 0 and any other ±1000.
 */
export function baselineScore(baseline: Baseline | undefined, value: number): number | undefined {
  if (baseline === undefined || baseline.samples < LEARNING_SAMPLES) return undefined
  const deviation = value - baseline.mean
  if (deviation === 0) return 0
  return Math.max(-LARGEST_SCORE, Math.min(LARGEST_SCORE, deviation / baseline.stddev))
}

function decayOver(hours: number): number {
  return hours <= 0 ? 1 : 2 ** (-hours / HALF_LIFE_HOURS)
}

/** Where the cell of an hour stands or would stand. */
function offsetOf(table: Uint8Array, hour: number): number {
  let offset = 1
  while (offset < table.length && (table[offset] ?? 0) < hour) offset += CELL_BYTES
  return offset
}

function cellAt(table: Uint8Array, offset: number): Cell {
  const reader = new ByteReader(table, offset)
  return {
    hourOfWeek: reader.readByte(),
    stampHours: reader.readUint32(),
    weight: reader.readDouble(),
    mean: reader.readDouble(),
    squares: reader.readDouble(),
  }
}
