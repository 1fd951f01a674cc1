/**
 * Sends alerts as SNMP notifications, one for each alert: traps, which nobody answers, or informs, which the receiver
 * confirms. Main thread. The library is loaded when the first one is sent.
 */
import type { LookupFunction } from 'node:net'
import type * as snmp from 'net-snmp'
import type { Session, User, Varbind } from 'net-snmp'
import type { Attempt } from '../../sender.ts'
import { delivered, networkAttempt, tryAgain } from '../attempts.ts'
import { resolvePlace } from '../resolve-place.ts'
import type { Place } from '../sink-keys.ts'
import type { Sink, SinkMessage } from '../sink-port.ts'
import { Spread } from '../spread.ts'
import { defaultEngineId, type SnmpSink, type SnmpUser } from './snmp-sink.ts'
import { notificationNumber, trapVariables, type TrapVariable } from './trap-variables.ts'

interface SnmpDeps {
  readonly lookup: LookupFunction
  readonly hostname: string
  /** Unix milliseconds. */
  readonly now: () => number
  /** Unix milliseconds. */
  readonly startedAtMs: number
}

type Library = typeof snmp

export function createSnmpSink(sink: SnmpSink, deps: SnmpDeps): Sink {
  const spread = new Spread(sink)
  const closing = new AbortController()
  return {
    concurrency: 2,
    async notify([message]) {
      const library = await import('net-snmp')
      return await spread.send(message.deliveryId, async (place) => {
        const signal = AbortSignal.any([closing.signal, AbortSignal.timeout(sink.timeoutMs)])
        try {
          const session = await openSession(library, { sink, deps, place, signal })
          return await sendAlerts(session, { library, sink, deps, message, signal })
        } catch (error) {
          return networkAttempt(error)
        }
      })
    },
    close() {
      closing.abort()
      return Promise.resolve()
    },
  }
}

interface SessionOf {
  readonly sink: SnmpSink
  readonly deps: SnmpDeps
  readonly place: Place
  readonly signal: AbortSignal
}

async function openSession(
  library: Library,
  { sink: { access, timeoutMs }, deps, place, signal }: SessionOf,
): Promise<Session> {
  const { address, family } = await resolvePlace(place, deps.lookup, signal)
  const common = {
    transport: family === 6 ? 'udp6' : 'udp4',
    port: place.port,
    trapPort: place.port,
    // One datagram a try: the lane repeats what was not confirmed.
    retries: 0,
    timeout: timeoutMs,
  } as const
  if (access.version === '3') {
    const engineID = access.engineId ?? defaultEngineId(deps.hostname)
    const session = library.createV3Session(address, libraryUser(library, access.user), {
      ...common,
      engineID,
    })
    stampTraps(session, deps)
    return ignoringNoise(session)
  }
  const version = access.version === '1' ? library.Version1 : library.Version2c
  return ignoringNoise(library.createSession(address, access.community.reveal(), { ...common, version }))
}

/** Anybody may send something to the port that waits for the confirmation; what cannot be read is as if it were not there. */
function ignoringNoise(session: Session): Session {
  return session.on('error', () => undefined)
}

function libraryUser(library: Library, { name, auth, priv }: SnmpUser): User {
  const { SecurityLevel } = library
  if (auth === undefined) return { name, level: SecurityLevel.noAuthNoPriv }
  const authenticated = {
    name,
    authProtocol: library.AuthProtocols[auth.protocol],
    authKey: auth.password.reveal(),
  }
  if (priv === undefined) return { ...authenticated, level: SecurityLevel.authNoPriv }
  return {
    ...authenticated,
    level: SecurityLevel.authPriv,
    privProtocol: library.PrivProtocols[priv.protocol],
    privKey: priv.password.reveal(),
  }
}

/**
 * RFC 3414, section 2.2: the sender of a trap says how often it was started and since when it runs, and receivers drop
 * what seems to be from the past; the library would always say 0. Unix seconds of the start grow with every start, as the
 * number of starts would, and need not be kept anywhere.
 */
function stampTraps(session: Session, { startedAtMs, now }: SnmpDeps): void {
  const send = session.send.bind(session)
  session.send = (request, isTrap) => {
    const parameters = request.message.msgSecurityParameters
    if (isTrap && parameters !== undefined) {
      parameters.msgAuthoritativeEngineBoots = Math.floor(startedAtMs / 1000)
      parameters.msgAuthoritativeEngineTime = Math.floor((now() - startedAtMs) / 1000)
    }
    return send(request, isTrap)
  }
}

interface AlertsOf {
  readonly library: Library
  readonly sink: SnmpSink
  readonly deps: SnmpDeps
  readonly message: SinkMessage
  readonly signal: AbortSignal
}

async function sendAlerts(
  session: Session,
  { library, sink, deps, message, signal }: AlertsOf,
): Promise<Attempt> {
  const { notification } = message
  const number = notificationNumber(notification)
  // The form of version 1 leaves the 0 out: RFC 3584, section 3.2.
  const trapOid = sink.access.version === '1' ? `${sink.root}.${number}` : `${sink.root}.0.${number}`
  const upTime = Math.max(1, Math.floor((deps.now() - deps.startedAtMs) / 10)) % 2 ** 32
  const onAbort = (): void => session.cancelRequests(signal.reason)
  signal.addEventListener('abort', onAbort)
  try {
    for (const alert of notification.alerts) {
      signal.throwIfAborted()
      const variables = trapVariables(sink.root, notification, alert).map((variable) =>
        varbind(library, variable),
      )
      await new Promise<void>((resolve, reject) => {
        const settle = (error: Error | null): void => (error === null ? resolve() : reject(error))
        if (sink.isInform) session.inform(trapOid, variables, { upTime }, settle)
        else session.trap(trapOid, variables, { upTime, agentAddr: sink.agentAddress }, settle)
      })
    }
  } catch (error) {
    return failure(error)
  } finally {
    signal.removeEventListener('abort', onAbort)
    session.close()
  }
  return delivered(successText(sink, deps))
}

function varbind({ ObjectType }: Library, { oid, type, value }: TrapVariable): Varbind {
  const types = {
    integer: ObjectType.Integer,
    unsigned: ObjectType.Unsigned32,
    octets: ObjectType.OctetString,
  }
  return { oid, type: types[type], value }
}

function failure(error: unknown): Attempt {
  const name = error instanceof Error ? error.name : ''
  if (name === 'RequestTimedOutError') return tryAgain('timeout', 'no confirmation came in time')
  // Reports about the user or its keys; the text is the library's and holds neither.
  if (name === 'ResponseInvalidError' && error instanceof Error)
    return tryAgain('login', `not accepted: ${error.message}`)
  return networkAttempt(error)
}

function successText({ isInform, access }: SnmpSink, { hostname }: SnmpDeps): string {
  if (isInform) return 'confirmed'
  if (access.version !== '3') return 'sent (UDP: no answer)'
  return `sent (UDP: no answer; engine id ${access.engineId ?? defaultEngineId(hostname)})`
}
