/**
 * What the outbox calls the queue of an alert sink. Pure; used by alerts, which write into it, and by delivery.
 */

/** No webhook's name begins with it. */
export const SINK_PREFIX = 'sink:'

/** The receiver of a sink's messages, by the name given to addAlertSink. */
export function sinkQueue(name: string): string {
  return `${SINK_PREFIX}${name}`
}
