/**
 * What HTTP listeners ask of the rest of the server, and how they are set up. Types only. Listeners know nothing else
 * of the server, so that they can run on threads of their own.
 */
import type { AskAlerts } from '../alerts/alert-questions.ts'
import type { EndpointArguments } from '../login/endpoint-arguments.ts'
import type { LoginReport } from '../login/login-report.ts'
import type { NetmaskGroup } from '../login/netmask-group.ts'

/** There is no room now: the client is told when to come again. */
export interface Refusal {
  readonly kind: 'refused'
  /** A sentence for the client. */
  readonly reason: string
  readonly retryAfterSeconds: number
}

export type SubmitOutcome = { readonly kind: 'accepted' } | Refusal

export type EndpointOutcome =
  | {
      readonly kind: 'returned'
      readonly success: boolean
      readonly attributes: Readonly<Record<string, string>>
    }
  /** The Lua function raised an error or returned something else than it may. */
  | { readonly kind: 'failed'; readonly reason: string }
  | Refusal

export type Readiness = { readonly ready: true } | { readonly ready: false; readonly reason: string }

/** Why a client was sent away before its request was looked at. */
export type RefusedKind = 'acl' | 'password' | 'connections'

export interface HttpPorts {
  /** Takes all of the reports or none. Resolves when they are as safe as the server promises. */
  readonly submitReports: (reports: readonly LoginReport[]) => Promise<SubmitOutcome>
  /** Names of the custom endpoints as of now. */
  readonly endpointNames: () => ReadonlySet<string>
  /** Runs a custom endpoint. The signal aborts when nobody waits for the answer any more. */
  readonly runEndpoint: (
    name: string,
    args: EndpointArguments,
    signal: AbortSignal,
  ) => Promise<EndpointOutcome>
  /** Whether reports are taken and stored right now. */
  readonly readiness: () => Readiness
  /** Finds alerts and does to them what an operator wants; rejects when the store cannot. */
  readonly askAlerts: AskAlerts
  /** The body of the stats command. */
  readonly stats: () => object
  /** The body of /metrics. */
  readonly metrics: () => Promise<{ readonly contentType: string; readonly body: string }>
  /** A command was let in: `report`, `stats`, `livez`, `readyz` or a custom endpoint. */
  readonly countCommand: (name: string) => void
  /** A client at this address was refused. It may be called as often as clients call. */
  readonly onRefused: (kind: RefusedKind, peer: string) => void
  /** The number of open connections over all listeners has changed to this. */
  readonly onConnections: (active: number) => void
  /** Unix milliseconds, for reports that do not say when; the system's clock if not given. */
  readonly now?: () => number
  /** A request failed through a fault of this program. The client got a 500 that says nothing of it. */
  readonly onInternalError?: (error: unknown) => void
}

export interface TlsSettings {
  /** PEM, with the intermediate certificates after the server's own. */
  readonly certificateFile: string
  /** PEM, without a passphrase. */
  readonly keyFile: string
  /** Names and values as of OpenSSL's SSL_CONF_cmd; see tls-options.ts. */
  readonly options: Readonly<Record<string, string>>
}

export interface ListenerSettings {
  /** An IP address. */
  readonly host: string
  /** 0 for any free port. */
  readonly port: number
  /** null for plain HTTP. */
  readonly tls: TlsSettings | null
}

export interface HttpOptions {
  readonly listeners: readonly ListenerSettings[]
  /** undefined or empty: every request that needs the password is refused. */
  readonly password: string | undefined
  /** Who may connect. It is asked anew for every request, so changes take effect at once. */
  readonly acl: Pick<NetmaskGroup, 'match'>
  /** Open connections over all listeners; further ones are closed at once. */
  readonly maxConnections: number
  readonly bodyLimitBytes: number
  /** From the first byte of a request, or the opening of the connection, to the last byte of its body. */
  readonly requestTimeoutMs: number
  /** The same to the last byte of its headers; at most requestTimeoutMs. */
  readonly headersTimeoutMs: number
  /** How long a connection may stay open between two requests. */
  readonly keepAliveTimeoutMs: number
  /** How long a report may take to be stored, or a custom endpoint to answer; 60 s if not given. */
  readonly handlerTimeoutMs?: number
  readonly metricsNoPassword: boolean
}

/** Where a listener is reachable. */
export interface BoundAddress {
  readonly host: string
  readonly port: number
  readonly isTls: boolean
  /** `http://127.0.0.1:8084` */
  readonly url: string
}
