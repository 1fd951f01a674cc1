/**
 * Where a dump of a trend database goes on, as a text that callers hand back. Pure.
 */

export interface DumpCursor {
  /** Key of the last row that is done; undefined at the beginning. */
  readonly after: Uint8Array | undefined
  /** The row that follows was begun: so many of its lines are done. */
  readonly partial: { readonly key: Uint8Array; readonly lines: number } | undefined
}

/** `KEY/`, or `KEY/KEY/LINES` inside a row; a point stands for no key, since a key may be empty. */
const CURSOR = /^(\.|[\w-]*)\/(?:([\w-]*)\/(\d{1,9}))?$/
const NO_KEY = '.'

export function writeDumpCursor({ after, partial }: DumpCursor): string {
  const begin = after === undefined ? NO_KEY : encode(after)
  return partial === undefined ? `${begin}/` : `${begin}/${encode(partial.key)}/${partial.lines}`
}

/** The beginning for an empty text; undefined for what `writeDumpCursor` cannot have written. */
export function parseDumpCursor(text: string): DumpCursor | undefined {
  if (text === '') return { after: undefined, partial: undefined }
  const [, begin, key, lines] = CURSOR.exec(text) ?? []
  if (begin === undefined) return undefined
  return {
    after: begin === NO_KEY ? undefined : decode(begin),
    partial: key === undefined ? undefined : { key: decode(key), lines: Number(lines) },
  }
}

function encode(key: Uint8Array): string {
  return Buffer.from(key).toString('base64url')
}

function decode(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'base64url'))
}
