/**
 * Outgoing messages: open ones with their next try, dead ones. Store thread. Memory holds ids and times only, one heap
 * per receiver, built when the store is opened; bodies stay on disk until they are handed out.
 *
 * A message is `waiting` → `held` (handed out, in this process only) → delivered (gone), `waiting` again, or `dead`;
 * dead → `waiting` by resend. After a restart what was held is waiting.
 */
import type {
  DeadLetter,
  OrphanCount,
  OrphanRule,
  OutboxClaim,
  OutboxEntry,
  OutboxMessage,
} from '../store.ts'
import { TrackError } from '../../errors.ts'
import type { Database } from './database.ts'
import { DueHeap } from './due-heap.ts'
import { metaKey, numberKey, numberOfKey, PREFIX, wholePrefix } from './keys.ts'
import { putNumbers, readNumbers } from './meta.ts'
import {
  decodeBody,
  decodeDeadState,
  decodeOpenState,
  encodeBody,
  encodeDeadState,
  encodeOpenState,
  type OpenMessageState,
} from './records.ts'
import { seal, unseal } from './sealed-value.ts'
import type { WriteBatch } from './write-batch.ts'
import type { Participant } from './write-jobs.ts'

const NEXT_ID = metaKey('next-message')
const PAGE = 256
const MAX_BURIED_AT_ONCE = 1000

export interface ClaimArguments {
  readonly receiver: string
  readonly nowMs: number
  readonly limit: number
}

export class Outbox implements Participant {
  readonly #database: () => Database
  /** State of every open message. */
  readonly #open = new Map<number, OpenMessageState>()
  readonly #byReceiver = new Map<string, number>()
  /** Waiting messages by receiver. */
  readonly #due = new Map<string, DueHeap>()
  /** Handed out and not settled yet. */
  readonly #held = new Set<number>()
  /** Messages of the batch in work: they wait once it is written. */
  #added: number[] = []
  #nextId = 1
  #deadLetters = 0

  constructor(database: () => Database) {
    this.#database = database
  }

  get entries(): number {
    return this.#open.size
  }

  /** Open messages of each receiver that has any. */
  get byReceiver(): ReadonlyMap<string, number> {
    return this.#byReceiver
  }

  get deadLetters(): number {
    return this.#deadLetters
  }

  async load(): Promise<void> {
    const database = this.#database()
    this.#nextId = readNumbers(database, NEXT_ID)?.[0] ?? 1
    for await (const page of database.pages(wholePrefix(PREFIX.messageState), PAGE)) {
      for (const [key, value] of page) {
        const id = numberOfKey(key)
        this.#setOpen(id, decodeOpenState(unseal(key, value)))
        this.#wait(id)
      }
    }
    for await (const page of database.pages(wholePrefix(PREFIX.deadState), PAGE))
      this.#deadLetters += page.length
  }

  stageAdd(batch: WriteBatch, message: OutboxMessage): void {
    const id = this.#nextId++
    const key = numberKey(PREFIX.messageBody, id)
    batch.put(key, seal(key, encodeBody(message)))
    const { receiver, createdAtMs } = message
    this.#stageState(batch, id, { receiver, createdAtMs, tries: 0, nextTryAtMs: createdAtMs })
  }

  /** Takes a receiver's due messages, oldest first; they are held until settled. */
  claim({ receiver, nowMs, limit }: ClaimArguments): OutboxClaim {
    const entries: OutboxEntry[] = []
    const heap = this.#due.get(receiver)
    let next = this.#firstWaiting(heap)
    while (next !== undefined && next.atMs <= nowMs && entries.length < limit) {
      heap?.removeFirst()
      this.#held.add(next.id)
      entries.push({ id: next.id, ...next.state, ...this.#body(next.id) })
      next = this.#firstWaiting(heap)
    }
    if (heap?.size === 0) this.#due.delete(receiver)
    return { entries, nextDueAtMs: next?.atMs }
  }

  /** The first of a heap; notes of messages that were settled while they waited, or noted twice, are dropped on the way. */
  #firstWaiting(heap: DueHeap | undefined) {
    for (let next = heap?.first(); next !== undefined; next = heap?.first()) {
      const state = this.#open.get(next.id)
      if (state !== undefined && state.nextTryAtMs === next.atMs && !this.#held.has(next.id))
        return { ...next, state }
      heap?.removeFirst()
    }
    return undefined
  }

  stageRewrite(batch: WriteBatch, id: number, body: string): void {
    if (!this.#open.has(id)) return
    const key = numberKey(PREFIX.messageBody, id)
    batch.put(key, seal(key, encodeBody({ ...this.#body(id), body })))
  }

  stageDelivered(batch: WriteBatch, ids: readonly number[]): void {
    for (const id of ids) {
      this.#held.delete(id)
      if (!this.#removeOpen(id)) continue
      batch.delete(numberKey(PREFIX.messageState, id))
      batch.delete(numberKey(PREFIX.messageBody, id))
    }
  }

  stageRetry(
    batch: WriteBatch,
    id: number,
    { tries, nextTryAtMs }: Pick<OpenMessageState, 'tries' | 'nextTryAtMs'>,
  ): void {
    const state = this.#open.get(id)
    if (state !== undefined) this.#stageState(batch, id, { ...state, tries, nextTryAtMs })
  }

  stageDead(
    batch: WriteBatch,
    id: number,
    death: { readonly tries: number; readonly atMs: number; readonly reason: string },
  ): void {
    const state = this.#open.get(id)
    if (state === undefined) return
    this.#removeOpen(id)
    this.#held.delete(id)
    batch.delete(numberKey(PREFIX.messageState, id))
    const { receiver, createdAtMs } = state
    const key = numberKey(PREFIX.deadState, id)
    const dead = { receiver, createdAtMs, tries: death.tries, diedAtMs: death.atMs, reason: death.reason }
    batch.put(key, seal(key, encodeDeadState(dead)))
    this.#deadLetters++
  }

  /** Looks at states only, which are in memory; a batch stays small. */
  stageBuryOrphans(batch: WriteBatch, rule: OrphanRule): readonly OrphanCount[] {
    const named = new Set(rule.named)
    const counts = new Map<string, { buried: number; waiting: number }>()
    let left = MAX_BURIED_AT_ONCE
    for (const [id, { receiver, createdAtMs, tries }] of this.#open) {
      if (named.has(receiver)) continue
      const count = counts.get(receiver) ?? { buried: 0, waiting: 0 }
      counts.set(receiver, count)
      if (left > 0 && createdAtMs < rule.createdBeforeMs && !this.#held.has(id)) {
        this.stageDead(batch, id, { tries, atMs: rule.atMs, reason: rule.reason })
        count.buried++
        left--
      } else count.waiting++
    }
    return Array.from(counts, ([receiver, count]) => ({ receiver, ...count }))
  }

  /** Opens a dead message again; false when there is none. */
  stageResend(batch: WriteBatch, id: number, nowMs: number): boolean {
    const key = numberKey(PREFIX.deadState, id)
    const sealed = this.#database().get(key)
    if (sealed === undefined || this.#open.has(id)) return false
    const { receiver } = decodeDeadState(unseal(key, sealed))
    batch.delete(key)
    this.#deadLetters--
    // One that grew too old would be given up again at once if its age still counted.
    this.#stageState(batch, id, { receiver, createdAtMs: nowMs, tries: 0, nextTryAtMs: nowMs })
    return true
  }

  /** Removes dead messages for good. */
  stageRemoveDead(batch: WriteBatch, ids: readonly number[]): void {
    for (const id of ids) {
      if (this.#database().get(numberKey(PREFIX.deadState, id)) === undefined) continue
      batch.delete(numberKey(PREFIX.deadState, id))
      batch.delete(numberKey(PREFIX.messageBody, id))
      this.#deadLetters--
    }
  }

  /** Newest message first. */
  async listDead(limit: number): Promise<readonly DeadLetter[]> {
    const entries = await this.#database().scan({ ...wholePrefix(PREFIX.deadState), isReverse: true, limit })
    return entries.map(([key, value]) => {
      const id = numberOfKey(key)
      return { id, ...decodeDeadState(unseal(key, value)), ...this.#body(id) }
    })
  }

  finishAll(batch: WriteBatch): void {
    if (this.#added.length > 0) putNumbers(batch, NEXT_ID, [this.#nextId])
  }

  changesWritten(): void {
    for (const id of this.#added) this.#wait(id)
    this.#added = []
  }

  #stageState(batch: WriteBatch, id: number, state: OpenMessageState): void {
    this.#setOpen(id, state)
    const key = numberKey(PREFIX.messageState, id)
    batch.put(key, seal(key, encodeOpenState(state)))
    this.#added.push(id)
  }

  #setOpen(id: number, state: OpenMessageState): void {
    if (!this.#open.has(id)) this.#count(state.receiver, 1)
    this.#open.set(id, state)
  }

  /** False when it was not open. */
  #removeOpen(id: number): boolean {
    const state = this.#open.get(id)
    if (state === undefined) return false
    this.#count(state.receiver, -1)
    return this.#open.delete(id)
  }

  #count(receiver: string, by: 1 | -1): void {
    const count = (this.#byReceiver.get(receiver) ?? 0) + by
    if (count === 0) this.#byReceiver.delete(receiver)
    else this.#byReceiver.set(receiver, count)
  }

  #wait(id: number): void {
    const state = this.#open.get(id)
    if (state === undefined) return
    this.#held.delete(id)
    const heap = this.#due.get(state.receiver) ?? new DueHeap()
    heap.add({ id, atMs: state.nextTryAtMs })
    this.#due.set(state.receiver, heap)
  }

  #body(id: number): { readonly deliveryId: string; readonly body: string } {
    const key = numberKey(PREFIX.messageBody, id)
    const sealed = this.#database().get(key)
    if (sealed === undefined) throw new TrackError('TRK_STORE_DAMAGED', `message ${id} is missing`)
    return decodeBody(unseal(key, sealed))
  }
}
