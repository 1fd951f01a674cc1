/**
 * Reports on their way into the journal and, once durable, to the subscriber. Main thread. The appends of one turn of the
 * event loop become one message; the backlog bound is checked here, before anything is copied.
 */
import { TrackError } from '../../errors.ts'
import type { AppendOutcome, JournalledReport, ReportToAppend, StoreCounts } from '../store.ts'
import type { CallTable, Settlement } from './call-table.ts'
import type { AppendMessage } from './messages.ts'
import { AppendPacker } from './pack-messages.ts'

interface AppendQueueDeps {
  readonly calls: CallTable
  readonly send: (message: AppendMessage) => void
  readonly counts: () => StoreCounts
  readonly scheduleFlush: () => void
}

interface Bounds {
  readonly reports: number
  readonly bytes: number
}

interface QueuedAppend {
  readonly reports: readonly ReportToAppend[]
  readonly resolve: (outcome: AppendOutcome) => void
  readonly reject: (error: TrackError) => void
}

export class AppendQueue {
  readonly #deps: AppendQueueDeps
  readonly #bounds: Bounds
  readonly #packer = new AppendPacker()
  #queued: QueuedAppend[] = []
  #nextSegment = 1
  /** Reports that are queued or sent and not answered. */
  #underWay = 0
  #run: ((reports: readonly JournalledReport[]) => void) | undefined
  /** Durable reports that run after those which a crash left; bounded as the backlog is. */
  #held: JournalledReport[] = []

  constructor(deps: AppendQueueDeps, bounds: Bounds) {
    this.#deps = deps
    this.#bounds = bounds
  }

  /** The first segment number that this process gives. */
  startAt(segment: number): void {
    this.#nextSegment = segment
  }

  append(reports: readonly ReportToAppend[]): Promise<AppendOutcome> {
    if (reports.length === 0) return Promise.resolve({ kind: 'durable', reports: [] })
    const { backlogReports, backlogBytes } = this.#deps.counts()
    const waiting = backlogReports + this.#underWay
    if (waiting + reports.length > this.#bounds.reports || backlogBytes >= this.#bounds.bytes) {
      const detail = `${waiting} reports of ${backlogBytes} bytes wait to be run`
      return Promise.resolve({ kind: 'refused', reason: 'backlog', detail })
    }
    this.#underWay += reports.length
    return new Promise((resolve, reject) => {
      this.#queued.push({ reports, resolve, reject })
      this.#deps.scheduleFlush()
    })
  }

  /** From now on durable reports go to this function, those that were held first. */
  deliverTo(run: (reports: readonly JournalledReport[]) => void): void {
    this.#run = run
    const held = this.#held
    this.#held = []
    if (held.length > 0) run(held)
  }

  flush(): void {
    const queued = this.#queued
    if (queued.length === 0) return
    this.#queued = []
    const reports = queued.flatMap((append) => append.reports)
    const firstSegment = this.#nextSegment
    const { contents, journalled } = this.#packer.pack(firstSegment, reports)
    this.#nextSegment += contents.contentSizes.length
    const call = this.#deps.calls.add({
      settle: (settlement) => this.#settle(queued, journalled, settlement),
      reject: (error) => {
        this.#underWay -= journalled.length
        for (const append of queued) append.reject(error)
      },
    })
    this.#deps.send({ type: 'append', call, firstSegment, ...contents })
  }

  #settle(
    queued: readonly QueuedAppend[],
    journalled: readonly JournalledReport[],
    settlement: Settlement,
  ): void {
    this.#underWay -= journalled.length
    if (settlement.kind === 'refused') {
      for (const append of queued) append.resolve(settlement)
      return
    }
    let from = 0
    for (const append of queued) {
      const to = from + append.reports.length
      append.resolve({
        kind: 'durable',
        reports: queued.length === 1 ? journalled : journalled.slice(from, to),
      })
      from = to
    }
    if (this.#run === undefined) this.#held.push(...journalled)
    else this.#run(journalled)
  }

  /** What was not sent yet cannot be stored any more. */
  close(): void {
    for (const append of this.#queued) append.reject(new TrackError('TRK_STOPPING'))
    this.#queued = []
  }
}
