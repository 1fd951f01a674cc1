/**
 * Why a socket cannot be opened, and what to do about it. Pure.
 */
import { messageOf, TrackError } from '../errors.ts'

interface Place {
  readonly host: string
  readonly port: number
  /** The function of the configuration that says where to listen. */
  readonly setting: 'addListener' | 'controlSocket'
}

export function listenFailure({ host, port, setting }: Place, error: unknown): TrackError {
  const what = setting === 'controlSocket' ? 'control socket, ' : ''
  const reason = `${what}${host} port ${port}: ${messageOf(error)}`
  const advice = adviceFor(error)
  return new TrackError(
    'TRK_LISTEN_FAILED',
    advice === undefined ? reason : `${reason}; ${advice}, or choose another with ${setting}()`,
    { cause: error },
  )
}

function adviceFor(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  switch (code) {
    case 'EADDRINUSE':
      return 'stop the program that has this port'
    case 'EACCES':
      return 'give the server the right to open this port'
    case 'EADDRNOTAVAIL':
      return 'give this machine that address'
    default:
      return undefined
  }
}
