/**
 * Texts by which rows are found in maps. Pure; lives on policy workers. A run asks for the same few rows again and again,
 * with the very same byte arrays, and making a text of them is much of what a trend operation costs.
 */
import { Buffer } from 'node:buffer'

/** Rows that a run goes back and forth between. */
const REMEMBERED = 4

interface NamedRow {
  readonly database: string
  readonly key: Uint8Array
  readonly name: string
}

export class RowNames {
  readonly #latest: NamedRow[] = []
  #next = 0

  /** A text for every row of its own. The bytes of a key must not change afterwards. */
  of(database: string, key: Uint8Array): string {
    for (const known of this.#latest) {
      if (known.key === key && known.database === database) return known.name
    }
    const name = `${database}\0${Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1')}`
    this.#latest[this.#next] = { database, key, name }
    this.#next = (this.#next + 1) % REMEMBERED
    return name
  }
}
