/**
 * dumpStatsDB: a trend database in pages of JSON, small enough for the control socket. The store is asked through the
 * main thread, so reports go on meanwhile. Lives in one Lua state.
 */
import { TrackError } from '../../errors.ts'
import type { StoredTrendRow } from '../../store/store.ts'
import { dumpRow } from '../../trends/dump-row.ts'
import { loadChunks } from '../../trends/row-chunks.ts'
import { decodeRow } from '../../trends/row-codec.ts'
import type { TrendDefinition } from '../../trends/trend-definition.ts'
import type { TrendRegistry } from '../../trends/trend-registry.ts'
import { compareBytes } from '../../trends/compare-bytes.ts'
import { results, type HostFunction, type NumberRange } from '../host-function.ts'
import { insideRun, type AskStore } from './stored-reports.ts'
import { parseDumpCursor, writeDumpCursor, type DumpCursor } from './dump-cursor.ts'

/** Below what an answer of the control socket may have, with room for the cursor. */
const PAGE_BYTES = 56_000
const LIMIT: NumberRange = { min: 1, max: 10_000 }
const DEFAULT_LIMIT = 500

interface DumpDeps {
  readonly registry: TrendRegistry
  readonly ask: AskStore
}

/** What fits into one answer, and where the next one goes on; undefined when that was all. */
interface DumpPage {
  readonly lines: string
  readonly next: DumpCursor | undefined
}

export function dumpFunctions({ registry, ask }: DumpDeps): readonly HostFunction[] {
  return [
    {
      name: 'dumpStatsDB',
      usage: 'dumpStatsDB(name, after, limit)',
      summary:
        'A part of a trend database as lines of JSON, and the text to give as after for the next part, nil at the end.',
      scope: 'anywhere',
      async run(call) {
        const run = insideRun(call)
        const name = call.string(1, 'name')
        const text = call.optionalString(2, 'after') ?? ''
        const limit = call.optionalNumber(3, 'limit', LIMIT) ?? DEFAULT_LIMIT
        const definition =
          registry.get(name) ??
          call.fail(`there is no trend database ${JSON.stringify(name)}; define it with newStringStatsDB`)
        const cursor =
          parseDumpCursor(text) ??
          call.fail('after is no text that dumpStatsDB returned as its second result')
        const answer = await ask({ kind: 'scan-trends', database: name, after: cursor.after, limit })
        if (answer.kind !== 'trend-rows') return results('')
        const page = pageOf(answer.rows, { definition, cursor, nowSeconds: run.nowSeconds })
        return results(page.lines, page.next === undefined ? null : writeDumpCursor(page.next))
      },
    },
  ]
}

interface PageOptions {
  readonly definition: TrendDefinition
  readonly cursor: DumpCursor
  readonly nowSeconds: number
}

function pageOf(rows: readonly StoredTrendRow[], { definition, cursor, nowSeconds }: PageOptions): DumpPage {
  let { after } = cursor
  let text = ''
  let sizeBytes = 0
  for (const { key, bytes, chunks } of rows) {
    const decoded = decodeRow(definition, bytes)
    if (!decoded.ok) throw new TrackError('TRK_TREND_DAMAGED', `${definition.name}: ${decoded.reason}`)
    // A field whose sketches are damaged or were removed meanwhile is dumped as incomplete.
    for (const field of definition.fields.values()) {
      loadChunks(decoded.row, decoded.row.missingChunks(field), (name) => chunks.get(name))
    }
    const lines = dumpRow(decoded.row, key, nowSeconds)
    const isGoingOn = cursor.partial !== undefined && compareBytes(cursor.partial.key, key) === 0
    const first = isGoingOn ? (cursor.partial?.lines ?? 0) : 0
    for (const [index, line] of lines.entries()) {
      if (index < first) continue
      const lineBytes = Buffer.byteLength(line) + 1
      if (sizeBytes > 0 && sizeBytes + lineBytes > PAGE_BYTES) {
        const partial = index === 0 ? undefined : { key, lines: index }
        return { lines: text, next: { after, partial } }
      }
      text += `${line}\n`
      sizeBytes += lineBytes
    }
    after = key
  }
  return { lines: text, next: rows.length === 0 ? undefined : { after, partial: undefined } }
}
