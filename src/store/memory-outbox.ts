/**
 * The outbox of the in-memory store. Pure state; see memory-store.ts.
 */
import type {
  DeadLetter,
  OrphanCount,
  OrphanRule,
  OutboxClaim,
  OutboxEntry,
  OutboxMessage,
  StoreCounts,
} from './store.ts'

const KEEP_DEAD_MS = 30 * 86_400_000

export class MemoryOutbox {
  readonly #waiting = new Map<number, OutboxEntry>()
  readonly #held = new Set<number>()
  readonly #dead = new Map<number, DeadLetter>()
  #nextId = 1

  counts(): Pick<StoreCounts, 'outboxEntries' | 'outboxByReceiver' | 'deadLetters'> {
    const byReceiver = new Map<string, number>()
    for (const { receiver } of this.#waiting.values()) {
      byReceiver.set(receiver, (byReceiver.get(receiver) ?? 0) + 1)
    }
    return {
      outboxEntries: this.#waiting.size,
      outboxByReceiver: byReceiver,
      deadLetters: this.#dead.size,
    }
  }

  add(message: OutboxMessage): void {
    const id = this.#nextId++
    this.#waiting.set(id, { ...message, id, tries: 0, nextTryAtMs: message.createdAtMs })
  }

  claim(receiver: string, nowMs: number, limit: number): OutboxClaim {
    const waiting = this.#due().filter((entry) => entry.receiver === receiver)
    const entries = waiting.filter((entry) => entry.nextTryAtMs <= nowMs).slice(0, limit)
    for (const entry of entries) this.#held.add(entry.id)
    return { entries, nextDueAtMs: waiting[entries.length]?.nextTryAtMs }
  }

  rewrite(id: number, body: string): void {
    const entry = this.#waiting.get(id)
    if (entry !== undefined) this.#waiting.set(id, { ...entry, body })
  }

  remove(ids: readonly number[]): void {
    for (const id of ids) {
      this.#waiting.delete(id)
      this.#held.delete(id)
    }
  }

  retry(id: number, tries: number, nextTryAtMs: number): void {
    const entry = this.#waiting.get(id)
    if (entry === undefined) return
    this.#held.delete(id)
    this.#waiting.set(id, { ...entry, tries, nextTryAtMs })
  }

  bury(id: number, death: Pick<DeadLetter, 'tries' | 'diedAtMs' | 'reason'>): void {
    const entry = this.#waiting.get(id)
    if (entry === undefined) return
    this.remove([id])
    const { deliveryId, receiver, body, createdAtMs } = entry
    this.#dead.set(id, { id, deliveryId, receiver, body, createdAtMs, ...death })
  }

  buryOrphans({ named, createdBeforeMs, atMs, reason }: OrphanRule): readonly OrphanCount[] {
    const orphans = [...this.#waiting.values()].filter((entry) => !named.includes(entry.receiver))
    return Array.from(
      Map.groupBy(orphans, (entry) => entry.receiver),
      ([receiver, entries]) => {
        const old = entries.filter(
          (entry) => entry.createdAtMs < createdBeforeMs && !this.#held.has(entry.id),
        )
        for (const { id, tries } of old) this.bury(id, { tries, diedAtMs: atMs, reason })
        return { receiver, buried: old.length, waiting: entries.length - old.length }
      },
    )
  }

  dead(limit: number): readonly DeadLetter[] {
    return [...this.#dead.values()].toSorted((a, b) => b.id - a.id).slice(0, limit)
  }

  resend(id: number, nowMs: number): boolean {
    const letter = this.#dead.get(id)
    if (letter === undefined) return false
    this.#dead.delete(id)
    const { deliveryId, receiver, body } = letter
    const entry = { id, deliveryId, receiver, body, createdAtMs: nowMs, tries: 0, nextTryAtMs: nowMs }
    this.#waiting.set(id, entry)
    return true
  }

  expire(nowMs: number): void {
    for (const { id, diedAtMs } of this.#dead.values())
      if (diedAtMs <= nowMs - KEEP_DEAD_MS) this.#dead.delete(id)
  }

  #due(): readonly OutboxEntry[] {
    return [...this.#waiting.values()]
      .filter((entry) => !this.#held.has(entry.id))
      .toSorted((a, b) => a.nextTryAtMs - b.nextTryAtMs || a.id - b.id)
  }
}
