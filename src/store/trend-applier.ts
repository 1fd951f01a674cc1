/**
 * What the store asks of the trends: it keeps their rows and commits their changes, and knows nothing of what is in them.
 * An embedded store runs this on its own thread, so its maker is named by a module and not passed as a function.
 */

/** The changes that one run made to one row. */
export interface RowChange {
  readonly database: string
  /** At most 1 KiB. */
  readonly key: Uint8Array
  /** What `apply` understands; opaque to the store. */
  readonly changes: unknown
}

/** A large part of a row that stands under a key of its own, so that it is written only when it changes. */
export interface RowChunk {
  /** Names it among the chunks of its row: at most 255 Latin-1 characters, opaque to the store. */
  readonly name: string
  readonly bytes: Uint8Array
}

/** A row as it is stored. */
export interface CurrentRow {
  readonly bytes: Uint8Array
  /** One of the row's chunks; undefined when there is none of that name. */
  readonly chunk: (name: string) => Uint8Array | undefined
}

export interface AppliedRow {
  /** To be written soon, and not kept: its memory is shared with others. undefined: the row is gone, and its chunks with it. */
  readonly bytes: Uint8Array | undefined
  /** Chunks that differ from what is stored. */
  readonly chunks: readonly RowChunk[]
  /** Every chunk that the row has now; the others go. */
  readonly chunkNames: readonly string[]
  /**
   * Unix ms after which nothing of the row can be read any more. It orders eviction too: the row that expires first goes
   * first, which is the one that was used longest ago.
   */
  readonly expiresAtMs: number
}

/** Pure: the same arguments give the same answer, and no argument is modified or kept. */
export interface TrendApplier {
  /** The rows that the encoded changes of one run touch, in the order of the changes. */
  split(deltas: Uint8Array): readonly RowChange[]
  /** The row after several runs' changes, in commit order; `current` is undefined when there is no row yet. */
  apply(
    database: string,
    key: Uint8Array,
    current: CurrentRow | undefined,
    changes: readonly unknown[],
  ): AppliedRow
  /** Rows that a database may have; the store removes others soon after it grew beyond. */
  maxKeys(database: string): number
  /** The row key of a login, for forgetting it. */
  keyOfLogin(login: string): Uint8Array
}

/** Module that exports `createTrendApplier(setup): TrendApplier`, and what that is called with. */
export interface TrendApplierSource {
  /** URL of the module's file. */
  readonly module: string
  /** Plain data that survives a structured clone. */
  readonly setup: unknown
}
