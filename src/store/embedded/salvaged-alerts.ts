/**
 * What salvage.ts makes anew for the alerts that it takes over: indexes and counters. Store thread.
 */
import type { Alert } from '../../alerts/alert.ts'
import { NOTE_COUNTERS, stageNotificationIndexes } from './alert-notes.ts'
import {
  resolvedKey,
  timeKey,
  timeValue,
  decodeAlert,
  decodeMail,
  decodeNotification,
} from './alert-records.ts'
import { ALERT_COUNTERS } from './alert-rows.ts'
import { stageMailIndex } from './mail-notes.ts'
import { numberOfKey, PREFIX } from './keys.ts'
import { putNumbers } from './meta.ts'
import type { WriteBatch } from './write-batch.ts'

export class SalvagedAlerts {
  #highestAlert = 0
  #highestNotification = 0
  #highestSilence = 0
  #resolved = 0

  /** A record of one of the alerts' kinds is taken over. */
  take(batch: WriteBatch, key: Uint8Array, value: Uint8Array): void {
    switch (key[0]) {
      case PREFIX.alert:
        this.#takeAlert(batch, decodeAlert(key, value))
        break
      case PREFIX.alertChange:
        this.#highestAlert = Math.max(this.#highestAlert, numberOfKey(key))
        break
      case PREFIX.notification:
        this.#highestNotification = Math.max(this.#highestNotification, numberOfKey(key))
        stageNotificationIndexes(batch, decodeNotification(key, value))
        break
      case PREFIX.silence:
        this.#highestSilence = Math.max(this.#highestSilence, numberOfKey(key))
        break
      case PREFIX.mail:
        stageMailIndex(batch, key, decodeMail(key, value))
        break
      default:
      // The state of a group stands for itself, as does evidence.
    }
  }

  /** @param skipped so many numbers may have been given to what is lost */
  finish(batch: WriteBatch, skipped: number): void {
    putNumbers(batch, ALERT_COUNTERS, [this.#highestAlert + skipped, this.#resolved])
    putNumbers(batch, NOTE_COUNTERS, [this.#highestNotification + skipped, this.#highestSilence + skipped])
  }

  #takeAlert(batch: WriteBatch, alert: Alert): void {
    this.#highestAlert = Math.max(this.#highestAlert, alert.id)
    batch.put(timeKey(alert), timeValue(alert))
    if (alert.state !== 'resolved') return
    batch.put(resolvedKey(alert), new Uint8Array(0))
    this.#resolved++
  }
}
