/**
 * The Lua function of an alert sink: what makes the body of a webhook, or finds the address of a user. Pure. It runs on a
 * policy worker, once for each message and before the first try; what it made is kept with the message, so that every try
 * sends the same.
 */

/** Stands for the function in the keys of a sink: the function itself stays in the policy's Lua states. */
export interface LuaFunctionMark {
  readonly luaFunction: true
}

export const LUA_FUNCTION: LuaFunctionMark = { luaFunction: true }

/** As long as the body of a custom webhook may be. */
export const MAX_SINK_BYTES = 1024 * 1024

/** How its runs are called in logs and metrics, and the key of their worker. */
export function sinkRunName(sink: string): string {
  return `alert sink ${sink}`
}

/** How a call of the function ended. */
export type SinkCallOutcome =
  /** Undefined when it returned nil. */
  | { readonly kind: 'made'; readonly text: string | undefined }
  /** The log has said so. */
  | { readonly kind: 'failed'; readonly message: string }
  /** The server stops; the next one calls it. */
  | { readonly kind: 'stopping' }

/**
 * Calls the function of a sink; never rejects, and answers within a time limit of its own.
 *
 * @param args - JSON: the array of what it is called with
 */
export type CallSinkFunction = (sink: string, args: string) => Promise<SinkCallOutcome>

/** What a function made of a message, one for each call; null for nil, and for a failure that is not waited out. */
export type MadeTexts = readonly (string | null)[]

/** A message with what was made of it, as the outbox keeps it. */
export interface KeptMessage {
  /** The notification as it was written. */
  readonly body: string
  readonly made: MadeTexts
}

export function encodeKept({ body, made }: KeptMessage): string {
  return JSON.stringify({ made, body })
}

/** Undefined for a message of which nothing was made. */
export function decodeKept(body: string): KeptMessage | undefined {
  if (!body.startsWith('{"made":')) return undefined
  try {
    const value: unknown = JSON.parse(body)
    return isKept(value) ? { body: value.body, made: value.made } : undefined
  } catch {
    // No notification either, which the caller says.
    return undefined
  }
}

function isKept(value: unknown): value is KeptMessage {
  if (typeof value !== 'object' || value === null || !('made' in value) || !('body' in value)) return false
  const { made, body } = value
  return (
    typeof body === 'string' &&
    Array.isArray(made) &&
    made.every((text) => text === null || typeof text === 'string')
  )
}
