/**
 * Which sketches that stand apart from a row are needed for what: to apply changes, to store the row, to answer a question.
 * And their names in a store. Pure; lives on the store thread and on policy workers.
 */
import { loadChunk } from './split-row.ts'
import type { TrendChange } from './trend-change.ts'
import { windowAt } from './trend-definition.ts'
import type { RowChunkRef, TrendRow } from './trend-row.ts'

/** The name of a chunk among those of its row: a few Latin-1 characters. */
export function chunkName({ fieldId, startSeconds }: RowChunkRef): string {
  let name = ''
  for (let rest = startSeconds; rest > 0; rest = Math.floor(rest / 256))
    name += String.fromCharCode(rest % 256)
  const field = [fieldId >>> 16, (fieldId >>> 8) & 0xff, fieldId & 0xff]
  return String.fromCharCode(...field) + name
}

/** What must be loaded before these changes can be applied and the row can be stored. */
export function chunksToApply(row: TrendRow, changes: readonly TrendChange[]): readonly RowChunkRef[] {
  if (!row.hasStoredChunks) return []
  const wanted = new Map<string, RowChunkRef>()
  const want = (refs: readonly RowChunkRef[]): void => {
    for (const ref of refs) wanted.set(chunkName(ref), ref)
  }
  for (const change of changes) {
    const field = row.definition.fieldsById.get(change.fieldId)
    if (field === undefined) continue
    const window = windowAt(row.definition, change.timeSeconds)
    want(row.missingChunks(field, { oldest: window, newest: window }))
  }
  for (const field of row.definition.fields.values()) want(row.chunksToRewrite(field))
  return [...wanted.values()]
}

/**
 * Loads chunks of a row, those that are there at once; `read` gives the bytes of one.
 *
 * @returns why the row cannot be used; undefined when all is well
 */
export function loadChunks(
  row: TrendRow,
  refs: readonly RowChunkRef[],
  read: (name: string) => Uint8Array | undefined,
): string | undefined {
  for (const ref of refs) {
    const bytes = read(chunkName(ref))
    const reason = bytes === undefined ? 'a sketch of it is missing' : loadChunk(row, ref, bytes)
    if (reason !== undefined) return reason
  }
  return undefined
}
