/**
 * What the server needs to know of its standard output, and how it keeps from waiting for whoever reads it. Main thread.
 */
import { fstatSync } from 'node:fs'
import type { Writable } from 'node:stream'

/**
 * Node writes to a pipe synchronously when it is standard output, so that a reader who stops would stop the server. From
 * here on what is not taken waits in the stream, where it can be seen and bounded. Files and terminals stay as they are.
 */
export function neverWaitForReader(stream: Writable): void {
  // Node has no public way; where this one is gone the stream stays as Node made it.
  const handle: unknown = Reflect.get(stream, '_handle')
  if (typeof handle !== 'object' || handle === null || !('setBlocking' in handle)) return
  if (Reflect.get(stream, 'isTTY') === true || typeof handle.setBlocking !== 'function') return
  Reflect.apply(handle.setBlocking, handle, [false])
}

/**
 * True when this file descriptor is the journal of systemd, which says in JOURNAL_STREAM which device and inode it has given
 * the service: a child whose output goes elsewhere inherits the variable all the same.
 */
export function isJournal(fileDescriptor: number, journalStream: string | undefined): boolean {
  if (journalStream === undefined || journalStream === '') return false
  try {
    const { dev, ino } = fstatSync(fileDescriptor)
    return journalStream === `${dev}:${ino}`
  } catch {
    // It is closed.
    return false
  }
}
