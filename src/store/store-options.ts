/**
 * What a store is opened with. Pure types; the defaults are where they are used.
 */
import type { Durability } from './store.ts'
import type { TrendApplierSource } from './trend-applier.ts'

export interface StoreOptions {
  /** setReportDurability; default fsync. */
  readonly durability?: Durability
  /** setReportHistory: done reports are kept for days and up to megabytes, whichever is less; 0 of either keeps none. */
  readonly historyDays?: number
  readonly historyMegabytes?: number
  /** Unfinished reports beyond which appends are refused; default 1,000,000 and 1 GiB. */
  readonly backlogReports?: number
  readonly backlogBytes?: number
  /** See ALERT_STORE_DEFAULTS. */
  readonly alertHistoryDays?: number
  readonly maxOpenAlerts?: number
  readonly trends: TrendApplierSource
}
