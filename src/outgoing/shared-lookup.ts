/**
 * Host names into addresses as the system does it, one question at a time per name. getaddrinfo blocks one of the few
 * threads that the whole process has for such work: dozens of connections to a name that does not resolve would take
 * all of them, and with them every other name and file. Used wherever connections are opened.
 */
import { lookup, type LookupAddress, type LookupOptions } from 'node:dns'
import type { LookupFunction } from 'node:net'

type Callback = Parameters<LookupFunction>[2]

/** Options are part of the question: who wants all addresses does not want the answer of who wants one. */
export function createSharedLookup(): LookupFunction {
  /** Who waits for which answer; bounded by the connections that are being opened. */
  const waiting = new Map<string, Callback[]>()
  return (hostname, options, callback) => {
    const key = `${hostname} ${JSON.stringify(options)}`
    const others = waiting.get(key)
    if (others !== undefined) {
      others.push(callback)
      return
    }
    const callbacks = [callback]
    waiting.set(key, callbacks)
    ask(hostname, options, (error, address, family) => {
      waiting.delete(key)
      for (const call of callbacks) call(error, address, family)
    })
  }
}

function ask(hostname: string, options: LookupOptions, callback: Callback): void {
  lookup(hostname, options, (error, address: string | LookupAddress[], family) =>
    callback(error, address, family),
  )
}
