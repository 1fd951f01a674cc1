/**
 * A sink as a lane wants it: reads the outbox's messages, has the sink's Lua function make what it makes of each, once, and
 * passes them on. Main thread.
 *
 * What a function made is in the outbox before the first try, so that every try sends the same, also after a crash. A crash
 * before that calls the function again.
 */
import { messageOf } from '../../errors.ts'
import type { Outbox } from '../outbox.ts'
import type { Attempt, OutgoingMessage, Sender } from '../sender.ts'
import { refused, tryAgain } from './attempts.ts'
import { readNotification } from './read-notification.ts'
import { decodeKept, encodeKept, type CallSinkFunction } from './sink-function.ts'
import type { Sink, SinkMessage, SinkMessages } from './sink-port.ts'

export interface NamedSink {
  /** Name given to addAlertSink. */
  readonly name: string
  readonly sink: Sink
}

interface SinkSenderDeps {
  readonly outbox: Pick<Outbox, 'rewrite'>
  readonly callFunction: CallSinkFunction
}

export function sinkSender({ name, sink }: NamedSink, { outbox, callFunction }: SinkSenderDeps): Sender {
  async function send(messages: readonly OutgoingMessage[]): Promise<Attempt> {
    const readable = messages.flatMap(readMessage)
    if (!isFilled(readable)) return refused('unexpected', 'the stored message is no notification')
    if (sink.luaFunction === undefined) return await notifySafely(sink, readable)
    const [message] = readable
    const completed = await completeMessage({ name, sink }, message, callFunction)
    if ('verdict' in completed) return completed
    if (completed.made !== undefined && message.made === undefined) {
      const { body, made } = completed
      try {
        await outbox.rewrite(message.deliveryId, encodeKept({ body, made }))
      } catch (error) {
        return tryAgain('other', `what its function made could not be stored: ${messageOf(error)}`)
      }
    }
    return await notifySafely(sink, [completed])
  }
  return {
    ...(sink.batching === undefined ? {} : { batching: sink.batching }),
    send,
    close: () => sink.close(),
  }
}

/** Sends a message past the outbox, once. */
export async function sendOnce(
  named: NamedSink,
  message: SinkMessage,
  callFunction: CallSinkFunction,
): Promise<Attempt> {
  const completed = await completeMessage(named, message, callFunction)
  return 'verdict' in completed ? completed : await notifySafely(named.sink, [completed])
}

/** The message with what the sink's function makes of it, or how the try ends without it. */
async function completeMessage(
  { name, sink: { luaFunction } }: NamedSink,
  message: SinkMessage,
  callFunction: CallSinkFunction,
): Promise<SinkMessage | Attempt> {
  const calls = message.made === undefined ? (luaFunction?.callsFor(message) ?? []) : []
  if (luaFunction === undefined || calls.length === 0) return message
  const outcomes = await Promise.all(calls.map((args) => callFunction(name, args)))
  const made: (string | null)[] = []
  for (const outcome of outcomes) {
    switch (outcome.kind) {
      case 'stopping':
        return {
          ...tryAgain('other', 'the server stops; its function is called at the next start'),
          endsLane: true,
        }
      case 'failed':
        if (luaFunction.isNeeded) return tryAgain('failed', `its function failed: ${outcome.message}`)
        made.push(null)
        break
      case 'made':
        made.push(outcome.text ?? null)
        break
      default:
        outcome satisfies never
    }
  }
  return { ...message, made }
}

/** A fault in a sink, or in a library that it uses, must not stop its lane: the message waits for the next try. */
async function notifySafely(sink: Sink, messages: SinkMessages): Promise<Attempt> {
  try {
    return await sink.notify(messages)
  } catch (error) {
    return tryAgain('other', `the sink failed in the server itself: ${messageOf(error)}`)
  }
}

function readMessage({ deliveryId, body: stored }: OutgoingMessage): readonly SinkMessage[] {
  const kept = decodeKept(stored)
  const body = kept?.body ?? stored
  const notification = readNotification(body)
  const alert = notification?.alerts[0]
  if (notification === undefined || alert === undefined) return []
  return [{ deliveryId, body, notification, alert, ...(kept === undefined ? {} : { made: kept.made }) }]
}

function isFilled(messages: readonly SinkMessage[]): messages is SinkMessages {
  return messages.length > 0
}
