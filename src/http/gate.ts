/**
 * Who is let in: the ACL by the client's address, then the password. Lives on the threads that take requests.
 * Nothing of a request is looked at before this has said yes.
 */
import type { Socket } from 'node:net'
import { parseComboAddress, type ComboAddress } from '../login/combo-address.ts'
import type { HttpOptions, HttpPorts } from './http-ports.ts'
import { createPasswordCheck, type PasswordCheck } from './password-check.ts'

export interface Gate {
  /** Whether the client at the other end of this connection is in the ACL; a refusal is counted. */
  readonly admits: (socket: Socket) => boolean
  /** Whether this Authorization header has the password; a refusal is counted. */
  readonly hasPassword: (authorization: string | undefined, socket: Socket) => boolean
  /** The client's address as text; empty when the connection is already gone. */
  readonly peerOf: (socket: Socket) => string
  /** Whether everybody in the ACL may read the metrics. */
  readonly areMetricsOpen: () => boolean
  /** Goes by these from the next request on, also on connections that are open. */
  readonly replace: (access: HttpAccess) => void
}

/** The options that say who is let in. */
export type HttpAccess = Pick<HttpOptions, 'acl' | 'password' | 'metricsNoPassword'>

export function createGate(ports: Pick<HttpPorts, 'onRefused'>, initial: HttpAccess): Gate {
  let access = initial
  let isPassword: PasswordCheck = createPasswordCheck(access.password)
  /** A connection has one peer for all of its requests. Entries go with their sockets. */
  const peers = new WeakMap<Socket, ComboAddress>()

  const addressOf = (socket: Socket): ComboAddress | undefined => {
    const known = peers.get(socket)
    if (known !== undefined) return known
    const address = parseComboAddress(socket.remoteAddress ?? '')?.unmapped()
    if (address !== undefined) peers.set(socket, address)
    return address
  }
  const peerOf = (socket: Socket): string => addressOf(socket)?.address ?? ''

  return {
    peerOf,
    areMetricsOpen: () => access.metricsNoPassword,
    replace(replacement) {
      access = replacement
      isPassword = createPasswordCheck(access.password)
    },
    admits(socket) {
      const address = addressOf(socket)
      if (address !== undefined && access.acl.match(address)) return true
      ports.onRefused('acl', peerOf(socket))
      return false
    },
    hasPassword(authorization, socket) {
      if (isPassword(authorization)) return true
      ports.onRefused('password', peerOf(socket))
      return false
    },
  }
}
