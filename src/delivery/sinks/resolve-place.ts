/**
 * The address of a host that datagrams go to. Main thread. Streams look names up themselves.
 */
import { isIP, type LookupFunction } from 'node:net'
import type { Place } from './sink-keys.ts'

interface Address {
  readonly address: string
  readonly family: 4 | 6
}

/** Rejects as the look-up does, or with the signal's reason. */
export function resolvePlace({ host }: Place, lookup: LookupFunction, signal: AbortSignal): Promise<Address> {
  const family = isIP(host)
  if (family !== 0) return Promise.resolve({ address: host, family: family === 6 ? 6 : 4 })
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    lookup(host, {}, (error, address) => {
      signal.removeEventListener('abort', onAbort)
      if (error !== null) reject(error)
      else {
        const text = typeof address === 'string' ? address : (address[0]?.address ?? '')
        resolve({ address: text, family: isIP(text) === 6 ? 6 : 4 })
      }
    })
  })
}
