/**
 * Mail addresses. Pure. Stricter than RFC 5322: what needs quoting is refused, so that no address can be read in two ways
 * by two mail servers.
 */

export interface Mailbox {
  /** For people; empty if there is none. */
  readonly name: string
  readonly address: string
}

/** RFC 5322's atext with dots, and UTF-8 (RFC 6531); a domain of labels. */
const ADDRESS =
  /^[\w!#$%&'*+/=?^`{|}~\u00a1-\ufffd-]+(?:\.[\w!#$%&'*+/=?^`{|}~\u00a1-\ufffd-]+)*@[\p{L}\p{N}](?:[\p{L}\p{N}-]*[\p{L}\p{N}])?(?:\.[\p{L}\p{N}](?:[\p{L}\p{N}-]*[\p{L}\p{N}])?)*$/u
/** RFC 5321, section 4.5.3.1. */
const MAX_LENGTH = 254

export function isAddress(text: string): boolean {
  return text.length <= MAX_LENGTH && text.isWellFormed() && ADDRESS.test(text)
}

/** Reads `ann@example.com` and `Ann <ann@example.com>`. */
export function parseMailbox(text: string): Mailbox | undefined {
  const [, name = '', address = text] = /^([^<>]*)<([^<>]*)>$/.exec(text) ?? []
  return isAddress(address) ? { name: name.trim().replace(/^"(.*)"$/, '$1'), address } : undefined
}
