/**
 * The port between those who want something sent and delivery, which sends it. Types only. The outbox keeps messages
 * until they are settled; how they come in is the business of whoever owns it.
 */
import type { FinalReason } from './retry.ts'

/** What a policy asks for. */
export interface OutgoingWebHook {
  /** Name given to addCustomWebHook; `sink:NAME` for an alert sink. */
  readonly hook: string
  /** A byte string, see login/byte-string.ts. */
  readonly body: string
}

export interface OutboxEntry extends OutgoingWebHook {
  /** UUID, fixed when the message was added: every try sends the same, so that receivers can drop duplicates. */
  readonly id: string
  /** Unix milliseconds. */
  readonly createdAtMs: number
  /** Tries so far, all of which failed. */
  readonly tries: number
  /** Unix milliseconds. */
  readonly nextTryAtMs: number
}

/** Why a message was given up. A closed set: it labels metrics. */
export type DeadReason = FinalReason | 'too-old' | 'no-receiver'

/** What became of a claimed entry. */
export type Settlement =
  | { readonly kind: 'delivered'; readonly tries: number }
  | { readonly kind: 'retry'; readonly tries: number; readonly nextTryAtMs: number }
  /** The reason is for people: `status 400`. */
  | { readonly kind: 'dead'; readonly tries: number; readonly reason: string }

interface Claim {
  /** In the order in which they are due. Nobody else gets them until they are settled. */
  readonly entries: readonly OutboxEntry[]
  /** Unix milliseconds at which the next unclaimed entry of the hook is due; undefined if there is none. */
  readonly nextDueAtMs: number | undefined
}

/** Messages of a name that the configuration does not have. */
export interface Orphans {
  readonly hook: string
  /** How many just became dead letters. */
  readonly buried: number
  /** How many wait on. */
  readonly waiting: number
}

export interface OrphanRule {
  /** What the configuration names. */
  readonly named: readonly string[]
  /** Unix milliseconds: only messages of before then are given up. */
  readonly createdBeforeMs: number
  /** For the dead letters. */
  readonly reason: string
}

/** Told about changes as they happen; must not throw. */
export interface OutboxObserver {
  readonly onQueued: (hook: string) => void
  /** A message was refused because the outbox is full. */
  readonly onRefused: (hook: string) => void
}

export interface Outbox {
  /** True: what is left at the end of the process is delivered by the next one. */
  readonly isDurable: boolean
  /** Entries that are not settled: waiting or claimed. */
  readonly size: number
  /** Takes up to `limit` entries of one hook that are due. By hook, so that none can stand in another's way. */
  claimDue(hook: string, nowMs: number, limit: number): Promise<Claim>
  /** What is claimed has this body from now on, also for later tries. */
  rewrite(id: string, body: string): Promise<void>
  /** Ends a claim. */
  settle(id: string, settlement: Settlement): Promise<void>
  /** Gives up messages of other names than these once they are old; those that are claimed stay. */
  buryOrphans(rule: OrphanRule): Promise<readonly Orphans[]>
  /** Sets the one observer. */
  watch(observer: OutboxObserver): void
}
