/**
 * A set of networks that an address is matched against: the ACL, and groups that a policy makes. Pure; one thread each.
 * A map for every prefix length, so that a match costs one look-up per length in use, however many networks there are.
 * It grows as its owner adds to it and forgets nothing on its own: it is a setting, not a cache.
 */
import { TrackError } from '../errors.ts'
import type { ComboAddress } from './combo-address.ts'
import { keyOf, parseNetmask, type Netmask } from './netmask.ts'

interface Entry {
  readonly text: string
  /** False for a network that was added with `!`. */
  readonly isMember: boolean
}

/** Networks of one family and prefix length, by the key of `keyOf`. */
interface Level {
  readonly bits: number
  readonly entries: Map<string, Entry>
}

export class NetmaskGroup {
  /** Longest prefix first: the first hit decides. */
  readonly #levels: Readonly<Record<4 | 6, Level[]>> = { 4: [], 6: [] }
  #size = 0

  /** How many networks it holds; one that was added twice counts once. */
  get size(): number {
    return this.#size
  }

  /**
   * Adds a network; with a leading `!` what it covers does not match. Adding a network again replaces what was said
   * about it before.
   *
   * @throws TrackError TRK_CONFIG_INVALID when the text is no netmask.
   */
  addMask(mask: string | Netmask): void {
    const isMember = !(typeof mask === 'string' && mask.startsWith('!'))
    const netmask = typeof mask === 'string' ? parseNetmask(isMember ? mask : mask.slice(1)) : mask
    if (netmask === undefined) {
      throw new TrackError(
        'TRK_CONFIG_INVALID',
        `${JSON.stringify(mask)} is no netmask; write ADDRESS/BITS, such as 192.0.2.0/24, with a leading ! to exclude it`,
      )
    }
    const { entries } = this.#levelOf(netmask.keyFamily(), netmask.keyBits())
    const sizeBefore = entries.size
    entries.set(netmask.key(), { text: netmask.toStringNetwork(), isMember })
    this.#size += entries.size - sizeBefore
  }

  /**
   * Whether the address is in the group: the longest prefix that covers it decides. ::ffff:192.0.2.1 is looked at as
   * 192.0.2.1, so only IPv4 networks (however they were written) match it.
   */
  match(address: ComboAddress): boolean {
    const plain = address.unmapped()
    const words = plain.words()
    for (const { bits, entries } of this.#levels[plain.family]) {
      const entry = entries.get(keyOf(words, bits))
      if (entry !== undefined) return entry.isMember
    }
    return false
  }

  /** Every network as `addMask` takes it: IPv4 first, then longest prefix first. */
  masks(): readonly string[] {
    return [...this.#levels[4], ...this.#levels[6]].flatMap(({ entries }) =>
      Array.from(entries.values(), ({ text, isMember }) => (isMember ? text : `!${text}`)),
    )
  }

  /** Removes every network. */
  clear(): void {
    this.#levels[4].length = 0
    this.#levels[6].length = 0
    this.#size = 0
  }

  #levelOf(family: 4 | 6, bits: number): Level {
    const levels = this.#levels[family]
    const at = levels.findIndex((level) => level.bits <= bits)
    const existing = levels[at]
    if (existing?.bits === bits) return existing
    const level: Level = { bits, entries: new Map() }
    levels.splice(at === -1 ? levels.length : at, 0, level)
    return level
  }
}
