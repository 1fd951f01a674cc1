/**
 * Addresses to listen on, as the configuration writes them. Pure.
 */
import { isIP } from 'node:net'

export type ParsedEndpoint =
  | { readonly ok: true; readonly host: string; readonly port: number }
  | { readonly ok: false; readonly reason: string }

const BRACKETED = /^\[([^\]]+)\](?::(\d{1,5}))?$/
const PLAIN = /^([^:]*):(\d{1,5})$/
const MAX_PORT = 65535

/**
 * Reads `192.0.2.1:8084`, `[2001:db8::1]:8084`, and, where there is a default port, an address alone.
 * Port 0 lets the system choose a free one.
 */
export function parseEndpoint(text: string, defaultPort?: number): ParsedEndpoint {
  const parts = BRACKETED.exec(text) ?? PLAIN.exec(text)
  const host = parts?.[1] ?? text
  const port = parts?.[2] === undefined ? defaultPort : Number(parts[2])
  if (isIP(host) === 0) {
    return refuse(
      text,
      'is no address to listen on; write ADDRESS:PORT, such as 127.0.0.1:8084 or [::1]:8084',
    )
  }
  if (port === undefined) return refuse(text, 'lacks a port; write ADDRESS:PORT')
  if (port > MAX_PORT) return refuse(text, `has a port over ${MAX_PORT}`)
  return { ok: true, host, port }
}

function refuse(text: string, why: string): ParsedEndpoint {
  return { ok: false, reason: `${JSON.stringify(text)} ${why}` }
}
