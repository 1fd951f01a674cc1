/**
 * Cuts a reply that is too long for a frame so that its reader sees that it was cut. Pure.
 */

const LINE_FEED = 0x0a
/** The last line is never longer. */
const NOTE_BYTES = 200

/**
 * The reply itself if it fits. Else as many whole lines of it as do, and a last line that says how much is missing and
 * what to do. A single line that does not fit is cut between two characters.
 *
 * @param maxBytes more than 200
 */
export function fitReply(reply: Uint8Array, maxBytes: number): Uint8Array {
  if (reply.length <= maxBytes) return reply
  const room = maxBytes - NOTE_BYTES
  const end = reply.lastIndexOf(LINE_FEED, room - 1) + 1
  const note =
    end > 0
      ? `… ${countLines(reply.subarray(end))} more lines do not fit into one answer; `
      : `\n… ${reply.length - characterStart(reply, room)} more bytes do not fit into one answer; `
  return Buffer.concat([
    reply.subarray(0, end > 0 ? end : characterStart(reply, room)),
    Buffer.from(`${note}ask for less at once: fewer entries, one key, or a part with string.sub\n`),
  ])
}

function countLines(bytes: Uint8Array): number {
  let lines = 0
  for (const byte of bytes) if (byte === LINE_FEED) lines += 1
  // The last line need not end.
  return bytes.at(-1) === LINE_FEED ? lines : lines + 1
}

/** The last place at or before this one where no UTF-8 character is cut; UTF-8 has at most three bytes that continue. */
function characterStart(bytes: Uint8Array, place: number): number {
  for (let start = place; start > place - 4; start--) {
    if (((bytes[start] ?? 0) & 0xc0) !== 0x80) return start
  }
  return place
}
