/**
 * What one run has read from trends: the last of it, kept as it came and made into text only when the run raises an alert,
 * which nearly none does. Policy workers own these.
 */
import { EVIDENCE_LIMITS, cutText, type TrendRead } from '../alerts/alert-evidence.ts'
import type { JsonValue } from '../delivery/alert-notification.ts'
import { bytesToText } from '../login/byte-string.ts'
import { originalKey } from '../trends/normalize-key.ts'
import { Results } from './host-function.ts'
import { isLuaArray, isLuaTable, type LuaValue } from './lua-value.ts'
import { formatNumber } from './numbers.ts'

/** What was asked; the arrays are not changed any more. */
export interface ReadSubject {
  readonly method: string
  readonly definition: { readonly name: string }
  readonly key: Uint8Array
  readonly field: { readonly name: string }
}

/** As the method gave it to Lua. */
export type ReadAnswer = LuaValue | Results

type Item = Uint8Array | number | undefined

interface Noted {
  readonly subject: ReadSubject
  readonly item: Item
  readonly answer: ReadAnswer
}

/** Of a RaiseGrounds. */
interface Described {
  /** As JSON text. */
  readonly reads: string
  readonly earlierReads: number
}

/** Stands for it. */
const PASSWORD_HASH = '(password hash)'
const NOTHING: Described = { reads: '[]', earlierReads: 0 }

export class RunReads {
  /** Once it is full, a ring: the read with number n stands at n modulo its size. */
  readonly #noted: Noted[] = []
  #count = 0
  #described: { readonly count: number; readonly reads: Described } | undefined

  get count(): number {
    return this.#count
  }

  /** @param answer - must not be changed by anybody any more */
  note(subject: ReadSubject, item: Item, answer: ReadAnswer): void {
    this.#noted[this.#count++ % EVIDENCE_LIMITS.reads] = { subject, item, answer }
  }

  /**
   * Made once for all alerts that are raised at one point of the run.
   *
   * @param passwordHash - of the run's report; it is not shown where a question or an answer is just that
   */
  describe(passwordHash = ''): Described {
    if (this.#count === 0) return NOTHING
    if (this.#described?.count !== this.#count) {
      const show = (text: string): string =>
        text === passwordHash && text !== '' ? PASSWORD_HASH : cutText(text)
      const reads = this.#inOrder().map((noted) => JSON.stringify(describeRead(noted, show)))
      this.#described = { count: this.#count, reads: fit(reads, this.#count) }
    }
    return this.#described.reads
  }

  #inOrder(): readonly Noted[] {
    const oldest = this.#count > this.#noted.length ? this.#count % this.#noted.length : 0
    return [...this.#noted.slice(oldest), ...this.#noted.slice(0, oldest)]
  }
}

/** The last ones that have room; the decision was most likely made on these. */
function fit(reads: readonly string[], count: number): Described {
  let room = EVIDENCE_LIMITS.readsBytes
  let from = reads.length
  for (const read of reads.toReversed()) {
    room -= Buffer.byteLength(read)
    if (room < 0) break
    from--
  }
  return { reads: `[${reads.slice(from).join(',')}]`, earlierReads: count - reads.length + from }
}

/** A text as it is kept. */
type Show = (text: string) => string

function describeRead({ subject, item, answer }: Noted, show: Show): TrendRead {
  const { method, definition, key, field } = subject
  const entries = isLuaArray(answer) && answer.length > EVIDENCE_LIMITS.entries ? answer.length : undefined
  const jsonOf = (value: LuaValue): JsonValue => answerOf(value, show)
  return {
    call: method,
    database: definition.name,
    key: show(textOf(key)),
    field: field.name,
    ...(item === undefined
      ? {}
      : { item: typeof item === 'number' ? formatNumber(item) : show(textOf(item)) }),
    answer: answer instanceof Results ? answer.values.map(jsonOf) : jsonOf(answer),
    ...(entries === undefined ? {} : { entries }),
  }
}

function textOf(bytes: Uint8Array): string {
  return bytesToText(originalKey(bytes))
}

/** What a read may answer, of which none is deep: numbers, texts, and tables of these. */
function answerOf(value: LuaValue, show: Show): JsonValue {
  if (typeof value === 'number') return Number.isFinite(value) ? value : formatNumber(value)
  if (typeof value === 'string') return show(value)
  if (typeof value === 'boolean') return value
  if (value === undefined || value === null) return null
  if (isLuaArray(value)) return value.slice(0, EVIDENCE_LIMITS.entries).map((part) => answerOf(part, show))
  const entries = isLuaTable(value) ? [...value] : Object.entries(value)
  return Object.fromEntries(
    entries
      .slice(0, EVIDENCE_LIMITS.entries)
      .map(([name, part]): [string, JsonValue] => [show(String(name)), answerOf(part, show)]),
  )
}
