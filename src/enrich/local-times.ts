/**
 * The clock and the calendar of time zones, for policies that ask what hour it is where a user is. Lives on whatever
 * thread has made it. Knows the zones of the IANA database that Node.js brings along.
 */

/** Zones in use; there are about 600 names, which may be written in any case. When it is full it starts anew. */
const MOST_ZONES = 1000
const MS_PER_DAY = 86_400_000

/** Local date and hour of a moment. */
interface LocalTime {
  readonly hour: number
  /** Days since 1970-01-01 in the calendar of the zone. */
  readonly day: number
}

export class LocalTimes {
  readonly #formats = new Map<string, Intl.DateTimeFormat>()

  /**
   * The hour, 0 to 23, at a time in Unix seconds; undefined when there is no such zone.
   *
   * @param zone - IANA name such as `Europe/London`, or an offset such as `+02:00`
   */
  hourAt(timeSeconds: number, zone: string): number | undefined {
    return this.#localTime(timeSeconds, zone)?.hour
  }

  /**
   * How many midnights of the zone lie between two times in Unix seconds: 0 on the same date, negative when `to` is
   * earlier; undefined when there is no such zone.
   */
  daysBetween(from: number, to: number, zone: string): number | undefined {
    const [first, last] = [this.#localTime(from, zone), this.#localTime(to, zone)]
    return first === undefined || last === undefined ? undefined : last.day - first.day
  }

  #localTime(timeSeconds: number, zone: string): LocalTime | undefined {
    const format = this.#formatOf(zone)
    if (format === undefined) return undefined
    const parts = { year: 0, month: 1, day: 1, hour: 0 }
    for (const { type, value } of format.formatToParts(timeSeconds * 1000)) {
      if (type === 'year' || type === 'month' || type === 'day' || type === 'hour')
        parts[type] = Number(value)
    }
    return { hour: parts.hour, day: Date.UTC(parts.year, parts.month - 1, parts.day) / MS_PER_DAY }
  }

  /** Making a format costs fifty times as much as using one. */
  #formatOf(zone: string): Intl.DateTimeFormat | undefined {
    const known = this.#formats.get(zone)
    if (known !== undefined) return known
    const made = createFormat(zone)
    if (made === undefined) return undefined
    if (this.#formats.size >= MOST_ZONES) this.#formats.clear()
    this.#formats.set(zone, made)
    return made
  }
}

function createFormat(zone: string): Intl.DateTimeFormat | undefined {
  try {
    return new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      calendar: 'gregory',
      numberingSystem: 'latn',
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
    })
  } catch (thrown) {
    // The only complaint about options that are otherwise constant: the zone.
    if (thrown instanceof RangeError) return undefined
    throw thrown
  }
}
