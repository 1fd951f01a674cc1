/**
 * The outbox of the store, for delivery: messages come in with the outcomes of runs, and are claimed and settled here. What
 * is left at the end of the process is there at the next start. Main thread.
 */
import type { Store } from '../store/store.ts'
import type { Outbox, OutboxEntry, OutboxObserver, Settlement } from './outbox.ts'

type StorePart = Pick<
  Store,
  'claimDue' | 'rewriteMessage' | 'settleDelivered' | 'settleRetry' | 'settleDead' | 'buryOrphans' | 'counts'
>

export interface StoreOutbox extends Outbox {
  /** Messages for these hooks have been committed. */
  readonly queued: (hooks: Iterable<string>) => void
  /** A message was not taken because the queue is full. */
  readonly refused: (hook: string) => void
}

const NO_OBSERVER: OutboxObserver = { onQueued: () => undefined, onRefused: () => undefined }

/** @param now Unix milliseconds */
export function createStoreOutbox(store: StorePart, now: () => number): StoreOutbox {
  /** The store's number of each claimed entry, by delivery id; gone when it is settled. */
  const claimed = new Map<string, number>()
  let observer = NO_OBSERVER

  async function settleInStore(id: number, settlement: Settlement): Promise<void> {
    switch (settlement.kind) {
      case 'delivered':
        return store.settleDelivered([id])
      case 'retry':
        return store.settleRetry(id, settlement.tries, settlement.nextTryAtMs)
      case 'dead':
        return store.settleDead(id, settlement.tries, now(), settlement.reason)
      default:
        return settlement satisfies never
    }
  }

  return {
    isDurable: true,
    get size() {
      return store.counts().outboxEntries
    },
    async claimDue(hook, nowMs, limit) {
      const { entries, nextDueAtMs } = await store.claimDue(hook, nowMs, limit)
      for (const { deliveryId, id } of entries) claimed.set(deliveryId, id)
      return { entries: entries.map(toEntry), nextDueAtMs }
    },
    async rewrite(deliveryId, body) {
      const id = claimed.get(deliveryId)
      if (id !== undefined) await store.rewriteMessage(id, body)
    },
    async settle(deliveryId, settlement) {
      const id = claimed.get(deliveryId)
      if (id === undefined) return
      await settleInStore(id, settlement)
      // Not before: an entry whose end the store did not take is settled again.
      claimed.delete(deliveryId)
    },
    async buryOrphans(rule) {
      const counts = await store.buryOrphans({ ...rule, atMs: now() })
      return counts.map(({ receiver, buried, waiting }) => ({ hook: receiver, buried, waiting }))
    },
    watch(newObserver) {
      observer = newObserver
    },
    queued(hooks) {
      for (const hook of hooks) observer.onQueued(hook)
    },
    refused: (hook) => observer.onRefused(hook),
  }
}

function toEntry(entry: Awaited<ReturnType<StorePart['claimDue']>>['entries'][number]): OutboxEntry {
  const { deliveryId, receiver, body, createdAtMs, tries, nextTryAtMs } = entry
  return { id: deliveryId, hook: receiver, body, createdAtMs, tries, nextTryAtMs }
}
