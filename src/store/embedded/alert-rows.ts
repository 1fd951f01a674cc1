/**
 * The alerts: staging what runs and operators do to them. Store thread. Memory holds one small entry for each that is not
 * resolved; the rest is read when it is needed. What a batch changes is gathered and put once per alert at its end, so a
 * flood of raises of one alert is one write.
 */
import {
  acted,
  isRaisedAgain,
  newAlert,
  quietAtMs,
  raisedAgain,
  resolvedFor,
  type ResolveCause,
} from '../../alerts/alert-changes.ts'
import { evidenceText, type AlertEvidence, type KeptEvidence } from '../../alerts/alert-evidence.ts'
import type { Alert, AlertAction, AlertEffect, RaiseEffect } from '../../alerts/alert.ts'
import { severityRank, type Severity } from '../../alerts/severity.ts'
import { type AlertCounts, NO_ALERT_COUNTS } from '../alert-store.ts'
import {
  decodeAlert,
  decodeEvidence,
  dedupKey,
  evidenceKey,
  type EvidenceOf,
  resolvedKey,
  sealJson,
  sealText,
  timeKey,
  timeValue,
} from './alert-records.ts'
import type { Database } from './database.ts'
import { metaKey, numberKey, numberOfKey, numbersOfPairKey, PREFIX, wholePrefix } from './keys.ts'
import { putNumbers, readNumbers } from './meta.ts'
import { seal } from './sealed-value.ts'
import type { WriteBatch } from './write-batch.ts'
import type { Participant } from './write-jobs.ts'

/** Next number, and how many alerts are resolved. */
export const ALERT_COUNTERS = metaKey('alerts')
const PAGE = 256
/** When there are too many open alerts, so many more of the same severity go at once: they are not searched for each. */
const EVICTION_SHARE = 0.01

const [, RESOLVED] = timeValue({ severity: 'info', state: 'resolved' })

/** An alert that is not resolved. */
interface OpenAlert {
  readonly dedupKey: string
  readonly severity: Severity
  readonly lastAtMs: number
  readonly quietAtMs: number
}

/** What the batch in work makes of an alert; undefined: it is erased, or it is new. */
interface StagedAlert {
  readonly before: Alert | undefined
  after: Alert | undefined
  /** Of the raises in it; evidenceText. */
  first?: string
  latest?: string
}

interface NewEvidence {
  readonly first?: string | undefined
  readonly latest?: string | undefined
}

const EVIDENCE: readonly EvidenceOf[] = ['first', 'latest']

export class AlertRows implements Participant {
  readonly #database: () => Database
  readonly #maxOpen: number
  /** In the order of their numbers: a new one comes last, and none opens again once it is resolved. */
  readonly #open = new Map<number, OpenAlert>()
  readonly #byKey = new Map<string, number>()
  readonly #unlooked = new Set<number>()
  readonly #staged = new Map<number, StagedAlert>()
  /** Changes of the batch that is being written: routing may look at them once it is. */
  #changedInBatch: number[] = []
  #counts: { open: [number, number, number, number, number]; resolved: number; evicted: number } = {
    ...NO_ALERT_COUNTS,
    open: [0, 0, 0, 0, 0],
  }
  #nextId = 1

  constructor(database: () => Database, maxOpen: number) {
    this.#database = database
    this.#maxOpen = maxOpen
  }

  /** An object of its own after every change. */
  get counts(): AlertCounts {
    return this.#counts
  }

  async load(): Promise<void> {
    const database = this.#database()
    const [nextId, resolved] = readNumbers(database, ALERT_COUNTERS) ?? [1, 0]
    this.#nextId = nextId ?? 1
    this.#counts.resolved = resolved ?? 0
    const openIds: number[] = []
    for await (const page of database.pages(wholePrefix(PREFIX.alertByTime), PAGE)) {
      // Those that are resolved are not read.
      const open = page.filter(([, value]) => value[1] !== RESOLVED)
      openIds.push(...open.map(([key]) => numbersOfPairKey(key)[1]))
    }
    for (const id of openIds.toSorted((a, b) => a - b)) {
      const alert = this.read(id)
      if (alert !== undefined) this.#noteOpen(alert)
    }
    for await (const page of database.pages(wholePrefix(PREFIX.alertChange), PAGE))
      for (const [key] of page) this.#unlooked.add(numberOfKey(key))
  }

  /** The alert as it is on disk. */
  read(id: number): Alert | undefined {
    const key = numberKey(PREFIX.alert, id)
    const sealed = this.#database().get(key)
    return sealed === undefined ? undefined : decodeAlert(key, sealed)
  }

  readEvidence(id: number): KeptEvidence {
    const first = this.#readOneEvidence(id, 'first')
    const latest = this.#readOneEvidence(id, 'latest')
    return { ...(first === undefined ? {} : { first }), ...(latest === undefined ? {} : { latest }) }
  }

  #readOneEvidence(id: number, of: EvidenceOf): AlertEvidence | undefined {
    const key = evidenceKey(id, of)
    const sealed = this.#database().get(key)
    return sealed === undefined ? undefined : decodeEvidence(key, sealed)
  }

  /** The first numbers of alerts that are not resolved, from the one after `afterId` on. */
  openIds(afterId: number, limit: number): readonly number[] {
    const ids: number[] = []
    for (const id of this.#open.keys()) {
      if (ids.length >= limit) break
      if (id > afterId) ids.push(id)
    }
    return ids
  }

  /** Numbers of what routing has not looked at, in the order in which it changed. */
  unlooked(limit: number): readonly number[] {
    return [...this.#unlooked.values().take(limit)]
  }

  /** Numbers of alerts that were not raised again in time. */
  quietIds(nowMs: number): readonly number[] {
    return [...this.#open].filter(([, alert]) => alert.quietAtMs <= nowMs).map(([id]) => id)
  }

  stageEffect(effect: AlertEffect, reportId: number | undefined): void {
    const openId = this.#byKey.get(dedupKey(effect.rule, effect.key))
    const open = openId === undefined ? undefined : this.#current(openId)
    switch (effect.kind) {
      case 'raise':
        this.#raise(effect, open, reportId)
        break
      case 'resolve':
        if (open !== undefined) this.#set(open, resolvedFor(open, 'policy', effect.atMs))
        break
      default:
        effect satisfies never
    }
  }

  #raise(raise: RaiseEffect, open: Alert | undefined, reportId: number | undefined): void {
    if (open !== undefined && isRaisedAgain(open, raise)) {
      this.#set(open, raisedAgain(open, raise, reportId), { latest: evidenceText(raise, reportId) })
      return
    }
    // One of a rule and key is open at a time.
    if (open !== undefined) this.#set(open, resolvedFor(open, 'raised-anew', raise.atMs))
    this.#set(undefined, newAlert(this.#nextId++, raise, reportId), { first: evidenceText(raise, reportId) })
    if (this.#open.size > this.#maxOpen) this.#evict(raise.atMs)
  }

  /** @returns the alert afterwards; undefined when there is none. */
  stageAction(action: AlertAction): Alert | undefined {
    const before = this.#current(action.id)
    if (before === undefined) return undefined
    const after = acted(before, action)
    if (after === undefined) return before
    this.#set(before, after)
    return after
  }

  stageResolve(ids: readonly number[], cause: ResolveCause, atMs: number): void {
    for (const id of ids) {
      const open = this.#open.has(id) ? this.#current(id) : undefined
      if (open === undefined || (cause === 'quiet' && quietAtMs(open) > atMs)) continue
      this.#set(open, resolvedFor(open, cause, atMs))
    }
  }

  /** Erased ones are told to routing, expired ones it has long done with. */
  stageRemove(batch: WriteBatch, ids: readonly number[], cause: 'erased' | 'expired'): number {
    let removed = 0
    for (const id of ids) {
      const before = this.#current(id)
      if (before === undefined) continue
      removed++
      this.#forget(before)
      const staged = this.#staged.get(id)
      this.#staged.set(id, { before: staged === undefined ? before : staged.before, after: undefined })
      if (cause === 'erased') this.#stageChange(batch, id)
      else this.#stageLooked(batch, id)
    }
    return removed
  }

  /** Routing has looked at these; those that have changed since stay. */
  stageHandled(
    batch: WriteBatch,
    handled: readonly { readonly id: number; readonly revision: number }[],
    erased: readonly number[],
  ): void {
    for (const { id, revision } of handled)
      if (this.#current(id)?.revision === revision) this.#stageLooked(batch, id)
    for (const id of erased) this.#stageLooked(batch, id)
  }

  finishAll(batch: WriteBatch): void {
    if (this.#staged.size === 0) return
    for (const [id, staged] of this.#staged) this.#put(batch, id, staged)
    this.#staged.clear()
    putNumbers(batch, ALERT_COUNTERS, [this.#nextId, this.#counts.resolved])
  }

  changesWritten(): void {
    for (const id of this.#changedInBatch) this.#unlooked.add(id)
    this.#changedInBatch = []
  }

  #put(batch: WriteBatch, id: number, { before, after, first, latest }: StagedAlert): void {
    const key = numberKey(PREFIX.alert, id)
    if (before !== undefined && before.lastAtMs !== after?.lastAtMs) batch.delete(timeKey(before))
    if (after === undefined) {
      batch.delete(key)
      for (const of of EVIDENCE) batch.delete(evidenceKey(id, of))
      if (before?.state === 'resolved') batch.delete(resolvedKey(before))
      return
    }
    batch.put(key, sealJson(key, after))
    putEvidence(batch, evidenceKey(id, 'first'), first)
    putEvidence(batch, evidenceKey(id, 'latest'), latest)
    batch.put(timeKey(after), timeValue(after))
    if (after.state === 'resolved' && before?.state !== 'resolved')
      batch.put(resolvedKey(after), new Uint8Array(0))
    if (after.revision !== before?.revision) this.#stageChange(batch, id)
  }

  #stageChange(batch: WriteBatch, id: number): void {
    const key = numberKey(PREFIX.alertChange, id)
    batch.put(key, seal(key, new Uint8Array(0)))
    this.#changedInBatch.push(id)
  }

  #stageLooked(batch: WriteBatch, id: number): void {
    if (this.#unlooked.delete(id)) batch.delete(numberKey(PREFIX.alertChange, id))
  }

  /** As the batch in work has it. */
  #current(id: number): Alert | undefined {
    const staged = this.#staged.get(id)
    return staged === undefined ? this.read(id) : staged.after
  }

  #set(before: Alert | undefined, after: Alert, { first, latest }: NewEvidence = {}): void {
    const staged = this.#staged.get(after.id) ?? { before, after }
    staged.after = after
    if (first !== undefined) staged.first = first
    if (latest !== undefined) staged.latest = latest
    this.#staged.set(after.id, staged)
    if (after.state !== 'resolved') {
      if (before !== undefined) this.#count(before.severity, -1)
      this.#noteOpen(after)
      return
    }
    if (before !== undefined) this.#forget(before)
    this.#counts = { ...this.#counts, resolved: this.#counts.resolved + 1 }
  }

  #noteOpen(alert: Alert): void {
    const { id, rule, key, severity, lastAtMs } = alert
    const found = dedupKey(rule, key)
    this.#open.set(id, { dedupKey: found, severity, lastAtMs, quietAtMs: quietAtMs(alert) })
    this.#byKey.set(found, id)
    this.#count(severity, 1)
  }

  #forget(alert: Alert): void {
    if (alert.state === 'resolved') {
      this.#counts = { ...this.#counts, resolved: this.#counts.resolved - 1 }
      return
    }
    const known = this.#open.get(alert.id)
    if (known === undefined) return
    this.#open.delete(alert.id)
    this.#byKey.delete(known.dedupKey)
    this.#count(alert.severity, -1)
  }

  #count(severity: Severity, by: number): void {
    const [info, low, medium, high, critical] = this.#counts.open
    const open: [number, number, number, number, number] = [info, low, medium, high, critical]
    const rank = severityRank(severity)
    open[rank] = (open[rank] ?? 0) + by
    this.#counts = { ...this.#counts, open }
  }

  /** The least severe go first, and of these the one that was raised last the longest time ago. */
  #evict(atMs: number): void {
    while (this.#open.size > this.#maxOpen) {
      const least = this.#counts.open.findIndex((count) => count > 0)
      const surplus = this.#open.size - this.#maxOpen + Math.floor(this.#maxOpen * EVICTION_SHARE)
      const victims = [...this.#open]
        .filter(([, { severity }]) => severityRank(severity) === least)
        .toSorted(([, a], [, b]) => a.lastAtMs - b.lastAtMs)
        .slice(0, surplus)
        .map(([id]) => id)
      this.stageResolve(victims, 'too-many', atMs)
      this.#counts = { ...this.#counts, evicted: this.#counts.evicted + victims.length }
    }
  }
}

function putEvidence(batch: WriteBatch, key: Uint8Array, evidence: string | undefined): void {
  if (evidence !== undefined) batch.put(key, sealText(key, evidence))
}
