/**
 * An alert as the variables of a notification; conf/TRACKALERT-MIB.txt describes them for receivers. Pure.
 */
import { Buffer } from 'node:buffer'
import type { Severity } from '../../../alerts/severity.ts'
import type { AlertNotification, NotifiedAlert } from '../../alert-notification.ts'
import { cutBytes, oneLine } from '../clean-text.ts'

export interface TrapVariable {
  readonly oid: string
  readonly type: 'integer' | 'unsigned' | 'octets'
  readonly value: number | Buffer
}

/** The three notifications of the MIB, by their last number. */
const NOTIFICATION_NUMBER = { alert: 1, test: 2, resolved: 3 } as const

const SEVERITY_NUMBER: Readonly<Record<Severity, number>> = {
  info: 1,
  low: 2,
  medium: 3,
  high: 4,
  critical: 5,
}
const STATE_NUMBER: Readonly<Record<NotifiedAlert['state'], number>> = {
  open: 1,
  acknowledged: 2,
  resolved: 3,
}

/** SIZE of the MIB's strings: all of them fit into a datagram of 1500 bytes, message included. */
const MAX_BYTES = { name: 128, key: 255, message: 400, number: 32 } as const
const MAX_UNSIGNED = 0xffff_ffff

/** Which notification of the MIB this is. */
export function notificationNumber({ kind, reason }: AlertNotification): number {
  if (kind === 'test') return NOTIFICATION_NUMBER.test
  return reason === 'resolved' ? NOTIFICATION_NUMBER.resolved : NOTIFICATION_NUMBER.alert
}

/** @param root - object identifier of trackalertMIB */
export function trapVariables(
  root: string,
  { total }: AlertNotification,
  alert: NotifiedAlert,
): readonly TrapVariable[] {
  const { report } = alert
  const values: readonly Omit<TrapVariable, 'oid'>[] = [
    unsigned(alert.id),
    octets(alert.rule, MAX_BYTES.name),
    octets(alert.key, MAX_BYTES.key),
    { type: 'integer', value: SEVERITY_NUMBER[alert.severity] },
    octets(alert.message, MAX_BYTES.message),
    octets(alert.value === undefined ? '' : String(alert.value), MAX_BYTES.number),
    octets(alert.threshold === undefined ? '' : String(alert.threshold), MAX_BYTES.number),
    unsigned(alert.count),
    { type: 'integer', value: STATE_NUMBER[alert.state] },
    octets(alert.user, MAX_BYTES.key),
    octets(report?.remote ?? '', MAX_BYTES.name),
    { type: 'octets', value: dateAndTime(alert.firstAtMs) },
    { type: 'octets', value: dateAndTime(alert.lastAtMs) },
    unsigned(total),
  ]
  return values.map((value, index) => ({ oid: `${root}.1.${index + 1}.0`, ...value }))
}

function octets(text: string, maxBytes: number): Omit<TrapVariable, 'oid'> {
  return { type: 'octets', value: Buffer.from(cutBytes(oneLine(text), maxBytes)) }
}

function unsigned(value: number): Omit<TrapVariable, 'oid'> {
  return { type: 'unsigned', value: Math.min(Math.max(Math.trunc(value), 0), MAX_UNSIGNED) }
}

/** DateAndTime of RFC 2579, in UTC: year, month, day, hour, minute, second, tenth, +, 0, 0. */
function dateAndTime(atMs: number): Buffer {
  const date = new Date(atMs)
  const bytes = Buffer.alloc(11)
  bytes.writeUInt16BE(Math.min(Math.max(date.getUTCFullYear(), 0), 0xffff))
  bytes[2] = date.getUTCMonth() + 1
  bytes[3] = date.getUTCDate()
  bytes[4] = date.getUTCHours()
  bytes[5] = date.getUTCMinutes()
  bytes[6] = date.getUTCSeconds()
  bytes[7] = Math.floor(date.getUTCMilliseconds() / 100)
  bytes[8] = '+'.charCodeAt(0)
  return bytes
}
