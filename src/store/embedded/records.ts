/**
 * Values of failed reports and of outgoing messages: their binary form. Pure; used on the store thread. Every value is
 * sealed by whoever writes it (sealed-value.ts), which carries the format's version.
 */
import type { ReportToAppend, RunFailureRecord } from '../store.ts'
import { BinaryReader } from './binary-reader.ts'
import { BinaryWriter } from './binary-writer.ts'
import { readReport, writeReport } from './segment.ts'

export interface FailedRecord {
  readonly failedAtMs: number
  readonly failure: RunFailureRecord
  readonly report: ReportToAppend
}

/** State of an outgoing message that is still tried. */
export interface OpenMessageState {
  readonly receiver: string
  readonly createdAtMs: number
  readonly tries: number
  readonly nextTryAtMs: number
}

/** State of one that was given up. */
export interface DeadMessageState {
  readonly receiver: string
  readonly createdAtMs: number
  readonly tries: number
  readonly diedAtMs: number
  readonly reason: string
}

/** What does not change over tries. */
export interface MessageBody {
  readonly deliveryId: string
  readonly body: string
}

export function encodeFailed(record: FailedRecord): Uint8Array {
  const { code, message, traceback } = record.failure
  const writer = new BinaryWriter().double(record.failedAtMs).text(code).text(message).text(traceback)
  writeReport(writer, record.report)
  return writer.copy()
}

export function decodeFailed(content: Uint8Array): FailedRecord {
  const reader = new BinaryReader(content)
  const failedAtMs = reader.double()
  const failure = { code: reader.text(), message: reader.text(), traceback: reader.text() }
  const { isErased: _, ...report } = readReport(reader)
  return { failedAtMs, failure, report }
}

export function encodeReport(report: ReportToAppend): Uint8Array {
  const writer = new BinaryWriter()
  writeReport(writer, report)
  return writer.copy()
}

export function decodeReport(content: Uint8Array): ReportToAppend {
  const { isErased: _, ...report } = readReport(new BinaryReader(content))
  return report
}

export function encodeOpenState(state: OpenMessageState): Uint8Array {
  const { receiver, createdAtMs, tries, nextTryAtMs } = state
  return new BinaryWriter().text(receiver).double(createdAtMs).varint(tries).double(nextTryAtMs).copy()
}

export function decodeOpenState(content: Uint8Array): OpenMessageState {
  const reader = new BinaryReader(content)
  return {
    receiver: reader.text(),
    createdAtMs: reader.double(),
    tries: reader.varint(),
    nextTryAtMs: reader.double(),
  }
}

export function encodeDeadState(state: DeadMessageState): Uint8Array {
  const { receiver, createdAtMs, tries, diedAtMs, reason } = state
  return new BinaryWriter()
    .text(receiver)
    .double(createdAtMs)
    .varint(tries)
    .double(diedAtMs)
    .text(reason)
    .copy()
}

export function decodeDeadState(content: Uint8Array): DeadMessageState {
  const reader = new BinaryReader(content)
  return {
    receiver: reader.text(),
    createdAtMs: reader.double(),
    tries: reader.varint(),
    diedAtMs: reader.double(),
    reason: reader.text(),
  }
}

export function encodeBody(message: MessageBody): Uint8Array {
  return new BinaryWriter().text(message.deliveryId).text(message.body).copy()
}

export function decodeBody(content: Uint8Array): MessageBody {
  const reader = new BinaryReader(content)
  return { deliveryId: reader.text(), body: reader.text() }
}
