/**
 * The alerts' face of the embedded store on the main thread: each method is one call to the store thread.
 */
import type { AlertAction } from '../../alerts/alert.ts'
import type { NewSilence } from '../../alerts/silence.ts'
import type { AlertQuery, AlertStore, DeliveryNote, MailNote, NotificationCommit } from '../alert-store.ts'
import type { AlertAnswer, AlertCall, AlertCallName, AlertCalls } from './alert-calls.ts'

export class AlertClient implements AlertStore {
  readonly #call: (call: AlertCall) => Promise<AlertAnswer>

  constructor(call: (call: AlertCall) => Promise<AlertAnswer>) {
    this.#call = call
  }

  list(query: AlertQuery) {
    return this.#ask('list', query)
  }

  get(ids: readonly number[]) {
    return this.#ask('get', ids)
  }

  evidence(alertId: number) {
    return this.#ask('evidence', { alertId })
  }

  unresolved(afterId: number, limit: number) {
    return this.#ask('unresolved', { afterId, limit })
  }

  act(action: AlertAction) {
    return this.#ask('act', action)
  }

  changes(limit: number) {
    return this.#ask('changes', { limit })
  }

  async commitNotifications(commit: NotificationCommit): Promise<void> {
    await this.#ask('commitNotifications', commit)
  }

  groups() {
    return this.#ask('groups', undefined)
  }

  notifications(alertId: number) {
    return this.#ask('notifications', { alertId })
  }

  noteDelivery(note: DeliveryNote) {
    return this.#ask('noteDelivery', note)
  }

  silences() {
    return this.#ask('silences', undefined)
  }

  addSilence(silence: NewSilence) {
    return this.#ask('addSilence', silence)
  }

  removeSilence(id: string) {
    return this.#ask('removeSilence', { id })
  }

  lastMail(sink: string, address: string) {
    return this.#ask('lastMail', { sink, address })
  }

  async noteMail(note: MailNote): Promise<void> {
    await this.#ask('noteMail', note)
  }

  async #ask<Name extends AlertCallName>(
    name: Name,
    args: AlertCalls[Name]['args'],
  ): Promise<AlertCalls[Name]['answer']> {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- name and arguments are of one entry of AlertCalls
    const call = { name, args } as AlertCall
    return await this.#call(call)
  }
}
