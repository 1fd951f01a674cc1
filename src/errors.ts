/**
 * The catalogue of errors: every code that trackalert gives to a caller, an operator or a log stands here once.
 * Pure; used on every thread. Callers branch on `code`, never on `instanceof` or on the text: a structured clone
 * between threads keeps neither classes nor their fields.
 */

interface CatalogueEntry {
  /** HTTP status when the error answers a request. */
  readonly status: number
  /** What went wrong, in words that an operator can act on. The details of one case follow after a colon. */
  readonly text: string
}

export const ERRORS = {
  TRK_CONFIG_INVALID: { status: 500, text: 'the configuration is wrong' },
  TRK_CONFIG_TIMEOUT: { status: 500, text: 'the configuration file did not finish in time' },
  TRK_RELOAD_REFUSED: {
    status: 409,
    text: 'the new configuration cannot be taken over while the server runs',
  },
  TRK_LISTEN_FAILED: { status: 500, text: 'a listener cannot be opened' },
  TRK_TLS_CLIENT_FILES: { status: 500, text: 'the TLS files of outgoing connections cannot be used' },
  TRK_STATE_DIRECTORY: { status: 500, text: 'the state directory cannot be used' },
  TRK_GEOIP_UNREADABLE: { status: 500, text: 'a GeoIP database cannot be used' },
  TRK_REGEXES_INVALID: { status: 500, text: 'the user-agent rules cannot be used' },
  TRK_PID_FILE: { status: 500, text: 'the file for the process id cannot be used' },
  TRK_DAEMON: { status: 500, text: 'the server did not start in the background' },
  TRK_CONTROL_SETTINGS: { status: 500, text: 'it is not known how to reach the server' },
  TRK_REPORT_SETTINGS: { status: 500, text: 'it is not known how to reach the HTTP listener' },
  TRK_LUA_ERROR: { status: 500, text: 'a Lua function failed' },
  TRK_LUA_CPU_LIMIT: { status: 500, text: 'a Lua function used more processor time than it may' },
  TRK_LUA_WALL_LIMIT: { status: 500, text: 'a Lua function took longer than it may' },
  TRK_REPLAY_INPUT: { status: 500, text: 'the reports cannot be replayed' },
  TRK_REPLAY_LIMIT: { status: 500, text: 'the replay would take more memory than it may' },
  TRK_TREND_DAMAGED: { status: 500, text: 'a stored trend cannot be read' },
  TRK_TREND_INCOMPLETE: { status: 500, text: 'a trend was used before all of its sketches were loaded' },
  TRK_STORE_DAMAGED: { status: 503, text: 'the store is damaged' },
  TRK_STORE_LOCKED: { status: 503, text: 'the store is in use by another server' },
  TRK_STORE_FORMAT: { status: 503, text: 'the store has a format that this version cannot use' },
  TRK_STORE_FAILED: { status: 503, text: 'the store cannot do this' },
  TRK_CONSOLE_FAILED: { status: 500, text: 'a command of the console failed' },
  TRK_WORKER_LOST: { status: 500, text: 'the policy worker that ran this was lost' },
  TRK_HTTP_CONTENT_ENCODING: {
    status: 415,
    text: 'the body of the request is compressed, which is not supported',
  },
  TRK_HTTP_INTERNAL: { status: 500, text: 'the server failed to handle the request' },
  TRK_HTTP_LATE: {
    status: 503,
    text: 'the request was not done in time; whether it took effect is not known',
  },
  TRK_STOPPING: { status: 503, text: 'the server is stopping' },
  TRK_OVERLOAD: { status: 503, text: 'the server has as much work waiting as it may hold' },
  TRK_DEMO_FAILED: { status: 500, text: 'the demo cannot go on' },
  TRK_CONTROL_UNREACHABLE: { status: 502, text: 'the control socket cannot be reached' },
  TRK_CONTROL_REFUSED: { status: 502, text: 'the control socket does not take the key' },
  TRK_CONTROL_CLOSED: { status: 502, text: 'the control connection was lost' },
  TRK_CONTROL_TOO_LONG: { status: 413, text: 'the line is too long for the control socket' },
} as const satisfies Record<string, CatalogueEntry>

export type ErrorCode = keyof typeof ERRORS

/** An error as plain data, for messages between threads. */
export interface WireError {
  readonly code: ErrorCode
  readonly message: string
  readonly stack: string | undefined
}

/** The one error class of trackalert. Its message is a full sentence: what, where, and what to do. */
export class TrackError extends Error {
  readonly code: ErrorCode

  constructor(code: ErrorCode, detail?: string, options?: { readonly cause?: unknown }) {
    super(detail === undefined ? ERRORS[code].text : `${ERRORS[code].text}: ${detail}`, options)
    this.name = 'TrackError'
    this.code = code
  }

  get statusCode(): number {
    return ERRORS[this.code].status
  }

  toWire(): WireError {
    return { code: this.code, message: this.message, stack: this.stack }
  }

  /** The error that another thread sent with `toWire()`. */
  static fromWire(wire: WireError): TrackError {
    const error = new TrackError(wire.code)
    error.message = wire.message
    if (wire.stack !== undefined) error.stack = wire.stack
    return error
  }
}

/** The message of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown)
}
