/** The outbox in memory, for tests of what stands above the port: bounded by entries and by bytes. */
import { randomUUID } from 'node:crypto'
import { DueQueue } from './due-queue.ts'
import type { OutgoingWebHook, Outbox, OutboxEntry, OutboxObserver } from '../../src/delivery/outbox.ts'

/** An outbox that a test can put messages into. */
export interface MemoryOutbox extends Outbox {
  /** Never waits: a full outbox refuses. */
  readonly add: (message: OutgoingWebHook) => 'queued' | 'full'
}

interface MemoryOutboxDeps {
  /** Unix milliseconds. */
  readonly now: () => number
}

interface MemoryOutboxOptions {
  readonly maxEntries: number
  /** Length of all bodies together; default 256 MiB. */
  readonly maxSizeBytes?: number
}

const DEFAULT_MAX_SIZE_BYTES = 256 * 1024 * 1024
const NO_OBSERVER: OutboxObserver = { onQueued: () => undefined, onRefused: () => undefined }

export function createMemoryOutbox({ now }: MemoryOutboxDeps, options: MemoryOutboxOptions): MemoryOutbox {
  const { maxEntries, maxSizeBytes = DEFAULT_MAX_SIZE_BYTES } = options
  /** One queue per hook that has a waiting entry; an empty one is dropped. */
  const waiting = new Map<string, DueQueue>()
  const claimed = new Map<string, OutboxEntry>()
  let size = 0
  let sizeBytes = 0
  let observer = NO_OBSERVER

  function enqueue(entry: OutboxEntry): void {
    const queue = waiting.get(entry.hook) ?? new DueQueue()
    queue.push(entry)
    waiting.set(entry.hook, queue)
  }

  return {
    isDurable: false,
    get size() {
      return size
    },
    add({ hook, body }) {
      if (size >= maxEntries || sizeBytes + body.length > maxSizeBytes) {
        observer.onRefused(hook)
        return 'full'
      }
      size += 1
      sizeBytes += body.length
      const nowMs = now()
      enqueue({ id: randomUUID(), hook, body, createdAtMs: nowMs, tries: 0, nextTryAtMs: nowMs })
      observer.onQueued(hook)
      return 'queued'
    },
    // oxlint-disable-next-line require-await -- a durable outbox has to wait here
    async claimDue(hook, nowMs, limit) {
      const queue = waiting.get(hook)
      const entries: OutboxEntry[] = []
      while (entries.length < limit) {
        const entry = queue?.popDue(nowMs)
        if (entry === undefined) break
        claimed.set(entry.id, entry)
        entries.push(entry)
      }
      if (queue?.size === 0) waiting.delete(hook)
      return { entries, nextDueAtMs: queue?.nextDueAtMs }
    },
    // oxlint-disable-next-line require-await -- a durable outbox has to wait here
    async rewrite(id, body) {
      const entry = claimed.get(id)
      if (entry === undefined) return
      sizeBytes += body.length - entry.body.length
      claimed.set(id, { ...entry, body })
    },
    // oxlint-disable-next-line require-await -- a durable outbox has to wait here
    async settle(id, settlement) {
      const entry = claimed.get(id)
      if (entry === undefined) return
      claimed.delete(id)
      switch (settlement.kind) {
        case 'retry':
          enqueue({ ...entry, tries: settlement.tries, nextTryAtMs: settlement.nextTryAtMs })
          break
        case 'delivered':
        case 'dead':
          size -= 1
          sizeBytes -= entry.body.length
          break
        default:
          settlement satisfies never
      }
    },
    // oxlint-disable-next-line require-await -- a durable outbox has to wait here
    async buryOrphans({ named, createdBeforeMs }) {
      return [...waiting].flatMap(([hook, queue]) => {
        if (named.includes(hook)) return []
        const entries = Array.from({ length: queue.size }, () => queue.popDue(Infinity)).filter(isEntry)
        const kept = entries.filter((entry) => entry.createdAtMs >= createdBeforeMs)
        waiting.delete(hook)
        for (const entry of kept) enqueue(entry)
        size -= entries.length - kept.length
        return [{ hook, buried: entries.length - kept.length, waiting: kept.length }]
      })
    },
    watch(newObserver) {
      observer = newObserver
    },
  }
}

function isEntry(entry: OutboxEntry | undefined): entry is OutboxEntry {
  return entry !== undefined
}
