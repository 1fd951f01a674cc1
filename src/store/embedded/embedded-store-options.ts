/**
 * What the embedded store is opened with: options, their defaults, and what the store thread gets of them. Pure.
 */
import { join } from 'node:path'
import { ALERT_STORE_DEFAULTS } from '../alert-store.ts'
import type { StoreOptions } from '../store-options.ts'
import type { StoreChange } from '../store.ts'
import type { StoreThreadChange, StoreThreadSetup } from './messages.ts'
import { RowOwners } from './row-owners.ts'
import type { StoreThreads } from './store-thread-starter.ts'

const DAY_MS = 86_400_000
const MEGABYTE = 1024 * 1024

const DEFAULTS = {
  ...ALERT_STORE_DEFAULTS,
  durability: 'fsync',
  historyDays: 7,
  historyMegabytes: 1024,
  backlogReports: 1_000_000,
  backlogBytes: 1024 ** 3,
  maxFailedReports: 100_000,
  recentRowsBytes: 8 * 1024 * 1024,
  reserveBytes: 64 * 1024 * 1024,
  checkMs: 500,
} as const

export interface EmbeddedStoreOptions extends StoreOptions {
  /** The state directory; the store is `store` in it. */
  readonly stateDirectory: string
  /** Set a damaged store aside and go on with what is intact of it. */
  readonly recover: boolean
  /** Unix ms, for the name of what is set aside. */
  readonly nowMs: number
  /** Failed reports beyond which the oldest go. */
  readonly maxFailedReports?: number
  /** Memory for trend rows that were changed lately, bytes. */
  readonly recentRowsBytes?: number
  /** Free room on the disk below which appends are refused; LevelDB needs it for its own work. */
  readonly reserveBytes?: number
  /**
   * Time for checking tables before the store is opened; the rest is checked beside the work. After a crash all are checked
   * before, however long it takes.
   */
  readonly checkMs?: number
  /** If one was started ahead. */
  readonly threads?: StoreThreads
}

/** Options for the store thread, with times in milliseconds and sizes in bytes. */
export function threadSetup(options: EmbeddedStoreOptions): StoreThreadSetup {
  const chosen = { ...DEFAULTS, ...options }
  return {
    databaseDirectory: join(chosen.stateDirectory, 'store'),
    recover: chosen.recover,
    isRestart: false,
    durability: chosen.durability,
    historyMs: chosen.historyDays * DAY_MS,
    historyBytes: chosen.historyMegabytes * MEGABYTE,
    maxFailedReports: chosen.maxFailedReports,
    alertHistoryMs: chosen.alertHistoryDays * DAY_MS,
    maxOpenAlerts: chosen.maxOpenAlerts,
    recentRowsBytes: chosen.recentRowsBytes,
    reserveBytes: chosen.reserveBytes,
    checkMs: chosen.checkMs,
    nowMs: chosen.nowMs,
    trends: chosen.trends,
    rowOwners: new RowOwners().shared,
  }
}

/** The same of what may change while the store is open. */
export function threadChange(change: StoreChange): StoreThreadChange {
  return {
    durability: change.durability,
    historyMs: change.historyDays * DAY_MS,
    historyBytes: change.historyMegabytes * MEGABYTE,
    alertHistoryMs: change.alertHistoryDays * DAY_MS,
    trendSetup: change.trendSetup,
  }
}

/** Unfinished reports beyond which appends are refused. */
export function backlogBounds(options: EmbeddedStoreOptions): {
  readonly reports: number
  readonly bytes: number
} {
  const { backlogReports, backlogBytes } = { ...DEFAULTS, ...options }
  return { reports: backlogReports, bytes: backlogBytes }
}
