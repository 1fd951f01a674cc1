/**
 * What a policy asks another system over HTTP, and what comes of it. Pure; on policy workers.
 */

export interface HttpQuestion {
  readonly url: string
  /** Default GET. */
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  /** A byte string, see login/byte-string.ts. */
  readonly body?: string
  /** From opening the connection to the end of the answer; default 2000. */
  readonly timeoutMs?: number
  /** How long the same question may be answered from memory; not at all unless given. GET and HEAD without a body. */
  readonly cacheSeconds?: number
}

export type HttpAnswer =
  | {
      readonly ok: true
      readonly status: number
      /** A byte string, see login/byte-string.ts. */
      readonly body: string
      /** Names in lower case; several values of one name are joined by ", ". */
      readonly headers: Readonly<Record<string, string>>
    }
  | {
      readonly ok: false
      /** A sentence without credentials, path and query of the URL. */
      readonly error: string
    }

export function failed(error: string): Extract<HttpAnswer, { readonly ok: false }> {
  return { ok: false, error }
}
