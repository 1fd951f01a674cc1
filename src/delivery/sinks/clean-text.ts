/**
 * Text from outside, made fit for a place that has one line: a header, a syslog message, a log. Pure.
 */
import { Buffer } from 'node:buffer'

/** C0, DEL, C1, and the two separators that some programs take for line ends. */
// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g

/** One line of valid Unicode: control characters become a blank, bytes that are no UTF-8 U+FFFD. */
export function oneLine(text: string): string {
  return text.toWellFormed().replace(CONTROL, ' ').trim()
}

/** At most so many bytes of UTF-8, cut between characters, with `…` where something is left out. */
export function cutBytes(text: string, maxBytes: number): string {
  const bytes = Buffer.from(text)
  if (bytes.length <= maxBytes) return text
  if (maxBytes < ELLIPSIS_BYTES) return ''
  let end = maxBytes - ELLIPSIS_BYTES
  // 10xxxxxx: in the middle of a character.
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--
  return `${bytes.toString('utf8', 0, end)}…`
}

const ELLIPSIS_BYTES = 3
