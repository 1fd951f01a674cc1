/**
 * Routing at work: takes what has changed from the store, asks the router what is due, and has the store take it, all or
 * nothing. Main thread.
 *
 * Crash safety: an alert stays in the store's queue until a commit says that it was looked at, and a notification is in
 * the outbox in the same commit in which its group counts as told. A start reads what is not resolved and what was told
 * of it, so the router then knows what the last process knew.
 */
import { messageOf } from '../errors.ts'
import type { AlertStore } from '../store/alert-store.ts'
import type { Log } from '../telemetry/log.ts'
import type { AlertFacts } from './alert-matcher.ts'
import { AlertRouter, type DueNotifications } from './alert-router.ts'
import { type AlertRoute, createRouting } from './alert-route.ts'
import { composeNotification, listedIds } from './compose-notification.ts'
import { type MaintenanceWindow, Mutes, type Silence } from './silence.ts'

/** What the configuration says of alerts. */
export interface AlertConfig {
  readonly routes: readonly AlertRoute[]
  /** Names. */
  readonly sinks: readonly string[]
  readonly silences: readonly Silence[]
  readonly windows: readonly MaintenanceWindow[]
}

export interface NotifierDeps {
  readonly store: AlertStore
  /** Unix milliseconds. */
  readonly now: () => number
  readonly newDeliveryId: () => string
  readonly log: Log
  /** Messages for these receivers are in the outbox. */
  readonly onQueued: (receivers: ReadonlySet<string>) => void
  /** A notification for this sink is in the outbox. */
  readonly onSent: (sink: string) => void
}

/** Changes and notifications of one commit, and alerts of one reading. */
const CHANGES_PER_ROUND = 500
const PLANS_PER_ROUND = 100
const PAGE = 200
/** A flood of alerts is looked at in steps, not one by one. */
const LEAST_WAIT_MS = 100
/** The clock may jump, so it is looked at now and then. */
const MOST_WAIT_MS = 60_000
const RETRY_MS = 2_000

export class AlertNotifier {
  readonly #deps: NotifierDeps
  #config: AlertConfig
  #router: AlertRouter | undefined
  #mutes: Mutes
  /** undefined while a round is at work, which then goes on at `#wakeAtMs`. */
  #timer: NodeJS.Timeout | undefined
  #wakeAtMs = Infinity
  #round: Promise<void> | undefined
  #isStopped = false

  constructor(deps: NotifierDeps, config: AlertConfig) {
    this.#deps = deps
    this.#config = config
    this.#mutes = new Mutes(config.silences, config.windows)
  }

  /** Silences and windows in force. */
  get activeMutes(): number {
    return this.#mutes.activeCount
  }

  /** Begins; what the last process left is looked at first. */
  start(): void {
    this.wake()
  }

  /** Something has changed, or may be due. */
  wake(): void {
    this.#wakeAt(this.#deps.now() + LEAST_WAIT_MS)
  }

  /** Other routes, sinks and silences of the configuration from now on. */
  configure(config: AlertConfig): void {
    this.#config = config
    this.#router = undefined
    this.wake()
  }

  /** Silences were made or removed. */
  silencesChanged(silences: readonly Silence[]): void {
    this.#mutes = new Mutes([...this.#config.silences, ...silences], this.#config.windows)
    this.#router?.setMutes(this.#mutes, this.#deps.now())
    this.wake()
  }

  /** Id of what silences such an alert now. */
  silencing(facts: AlertFacts): string | undefined {
    this.#mutes.advance(this.#deps.now())
    return this.#mutes.silencing(facts)
  }

  /** Resolves when the round at work has ended; what is left is done after the next start. */
  async stop(): Promise<void> {
    this.#isStopped = true
    clearTimeout(this.#timer)
    await this.#round
  }

  #wakeAt(atMs: number): void {
    if (this.#isStopped || atMs >= this.#wakeAtMs) return
    this.#wakeAtMs = atMs
    if (this.#round === undefined) this.#setTimer()
  }

  #setTimer(): void {
    clearTimeout(this.#timer)
    const waitMs = Math.min(MOST_WAIT_MS, Math.max(0, this.#wakeAtMs - this.#deps.now()))
    this.#timer = setTimeout(() => {
      this.#round = this.#work().finally(() => {
        this.#round = undefined
        if (!this.#isStopped) this.#setTimer()
      })
    }, waitMs)
  }

  /** Never rejects: what fails is tried again. */
  async #work(): Promise<void> {
    this.#wakeAtMs = Infinity
    try {
      const config = this.#config
      const router = this.#router ?? (await this.#restore(config))
      // Configured anew meanwhile: the next round begins with that.
      if (config !== this.#config) return
      this.#router = router
      while (!this.#isStopped && router === this.#router && (await this.#step(router))) {
        // Until nothing is left to do now.
      }
      this.#wakeAt(Math.max(router.nextDueAtMs(), this.#deps.now() + LEAST_WAIT_MS))
    } catch (error) {
      if (this.#isStopped) return
      this.#deps.log.warn('alerts could not be routed; it is tried again', { error: messageOf(error) })
      this.#wakeAt(this.#deps.now() + RETRY_MS)
    }
  }

  /** @returns whether there may be more to do at once. */
  async #step(router: AlertRouter): Promise<boolean> {
    const { store, now } = this.#deps
    const changes = await store.changes(CHANGES_PER_ROUND)
    const nowMs = now()
    for (const alert of changes.alerts) router.note(alert, nowMs)
    for (const id of changes.erased) router.drop(id)
    const due = router.due(nowMs, PLANS_PER_ROUND)
    const handled = changes.alerts.map(({ id, revision }) => ({ id, revision }))
    const isIdle = handled.length + changes.erased.length + due.plans.length + due.goneGroups.length === 0
    if (isIdle) return false
    await this.#commit(due, { handled, handledErased: changes.erased })
    router.confirm(due)
    return true
  }

  async #commit(
    { plans, goneGroups }: DueNotifications,
    looked: {
      readonly handled: readonly { id: number; revision: number }[]
      readonly handledErased: readonly number[]
    },
  ): Promise<void> {
    const { store, newDeliveryId, onQueued, onSent } = this.#deps
    const ids = new Set(plans.flatMap(listedIds))
    const alerts = ids.size === 0 ? [] : await store.get([...ids])
    const byId = new Map(alerts.map((alert) => [alert.id, alert]))
    const composed = plans.map((plan) => {
      const listed = listedIds(plan).flatMap((id) => byId.get(id) ?? [])
      return composeNotification(plan, listed, newDeliveryId)
    })
    const ended = plans.filter(({ stored }) => stored === undefined).map(({ groupKey }) => groupKey)
    const messages = composed.flatMap((parts) => parts.messages)
    await store.commitNotifications({
      ...looked,
      messages,
      notifications: composed.flatMap((parts) => parts.notifications),
      groups: plans.flatMap(({ stored }) => stored ?? []),
      goneGroups: [...goneGroups, ...ended],
    })
    for (const { notifications } of composed)
      for (const { deliveries } of notifications) for (const { sink } of deliveries) onSent(sink)
    if (messages.length > 0) onQueued(new Set(messages.map(({ receiver }) => receiver)))
  }

  /** A router that knows what the last one knew, under the configuration as it is now. */
  async #restore({ routes, sinks }: AlertConfig): Promise<AlertRouter> {
    const { store, now } = this.#deps
    this.silencesChanged(await store.silences())
    this.#mutes.advance(now())
    const groups = await store.groups()
    const router = new AlertRouter(createRouting(routes, sinks), this.#mutes, groups)
    const open = new Set<number>()
    for (let afterId = 0; ;) {
      const page = await store.unresolved(afterId, PAGE)
      for (const alert of page) {
        open.add(alert.id)
        router.note(alert, alert.changedAtMs)
      }
      const last = page.at(-1)
      if (last === undefined) break
      afterId = last.id
    }
    const ended = groups.flatMap(({ notified }) => notified.map(([id]) => id)).filter((id) => !open.has(id))
    const ids = [...new Set(ended)]
    for (let from = 0; from < ids.length; from += PAGE) {
      for (const alert of await store.get(ids.slice(from, from + PAGE))) router.note(alert, alert.changedAtMs)
    }
    router.restored()
    return router
  }
}
