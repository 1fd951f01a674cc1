/**
 * Which reports raised which alert, as far as it matters for judging them. Pure state of the main thread of the command.
 */
import { parseComboAddress } from '../login/combo-address.ts'
import { parseNetmask } from '../login/netmask.ts'
import { TrackError } from '../errors.ts'
import type { Raised } from './messages.ts'
import type { Attack, ReportMark } from './traffic.ts'

/** A report raised an alert. */
export interface ReportRaise {
  readonly atMs: number
  /** undefined: an honest report. */
  readonly attack: Attack | undefined
  /** The alert names the report's login, its address or a network of it. */
  readonly isNamed: boolean
}

export interface Evidence {
  readonly byReports: ReportRaise[]
  /** Of the first honest report that raised it; empty of one that is none. */
  trap: string | undefined
  /** When background functions raised it, ms. */
  readonly alone: number[]
}

/** Of all alerts together. */
const MOST_RAISES = 10_000_000

export class RaiseLog {
  readonly #byAlert = new Map<number, Evidence>()
  #raises = 0

  of(alertId: number): Evidence {
    let evidence = this.#byAlert.get(alertId)
    if (evidence === undefined) {
      evidence = { byReports: [], trap: undefined, alone: [] }
      this.#byAlert.set(alertId, evidence)
    }
    return evidence
  }

  /**
   * @param mark of the report that raised it; undefined for a background function
   * @throws TrackError TRK_REPLAY_LIMIT when there are more than can be kept.
   */
  note(raised: Omit<Raised, 'report'>, mark: ReportMark | undefined): void {
    if (++this.#raises > MOST_RAISES) {
      const why = `alerts were raised more than ${MOST_RAISES} times; replay fewer reports`
      throw new TrackError('TRK_REPLAY_LIMIT', why)
    }
    const { atMs } = raised
    const evidence = this.of(raised.alertId)
    if (mark === undefined) {
      evidence.alone.push(atMs)
      return
    }
    const { attack, trap = '' } = mark
    if (attack === undefined) evidence.trap ??= trap
    evidence.byReports.push({ atMs, attack, isNamed: attack !== undefined && namesReport(raised, mark) })
  }
}

/** Whether an alert is about the login, the address, or a network of the address. */
function namesReport(alert: Pick<Raised, 'key' | 'user'>, { login, remote }: ReportMark): boolean {
  return alert.key === login || alert.user === login || namesAddress(alert.key, [remote])
}

/** Whether a key is one of these addresses or a network that has one of them. */
export function namesAddress(key: string, remotes: Iterable<string>): boolean {
  const network = parseNetmask(key)
  if (network === undefined) return false
  for (const remote of remotes) {
    const address = parseComboAddress(remote)
    if (address !== undefined && network.contains(address)) return true
  }
  return false
}
