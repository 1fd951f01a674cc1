/**
 * Values that maintenance will look at in a later batch, read beside the batches: a read may wait for LevelDB's own work, and
 * on the store thread every commit would wait with it. Pure state; store thread.
 *
 * What was read counts as long as no change of it is staged. Changes that were staged before and are not on disk yet may be
 * missing in it, so what they concern is not taken.
 */

/** What was read together, by name; undefined for what is not there. What is not in it must be read again. */
export interface AheadPage {
  readonly values: ReadonlyMap<string, Uint8Array | undefined>
  /** Nobody will ask any more. */
  readonly end: () => void
}

export class ValuesAhead {
  readonly #isStaged: (name: string) => boolean
  readonly #pages = new Set<Map<string, Uint8Array | undefined>>()

  /** @param isStaged - whether a change of it is staged that is not on disk yet */
  constructor(isStaged: (name: string) => boolean) {
    this.#isStaged = isStaged
  }

  /** Pages that were begun and have not ended. */
  get underWay(): number {
    return this.#pages.size
  }

  /** @param read - answers in the order of the names */
  async read(
    names: readonly string[],
    read: () => Promise<readonly (Uint8Array | undefined)[]>,
  ): Promise<AheadPage> {
    const values = new Map<string, Uint8Array | undefined>()
    for (const name of names) if (!this.#isStaged(name)) values.set(name, undefined)
    const end = (): void => void this.#pages.delete(values)
    this.#pages.add(values)
    try {
      const found = await read()
      // Those that have changed meanwhile are gone, and stay so.
      for (const [index, name] of names.entries()) if (values.has(name)) values.set(name, found[index])
    } catch (error) {
      end()
      throw error
    }
    return { values, end }
  }

  /** A change of it is staged. */
  changed(name: string): void {
    for (const page of this.#pages) page.delete(name)
  }
}
