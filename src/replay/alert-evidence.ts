/**
 * Which reports raised which alert, as far as it matters for judging them. Pure state of the main thread of the command.
 */
import { parseComboAddress } from '../login/combo-address.ts'
import { parseNetmask } from '../login/netmask.ts'
import type { Raised } from './messages.ts'
import type { Attack, ReportMark } from './traffic.ts'

/** What the reports of one attack have done for one alert. */
export interface AttackShare {
  raises: number
  /** The first time that one of them raised an alert which names its login, its address or a network of it; ms. */
  namedAtMs: number | undefined
  readonly firstAtMs: number
}

export interface Evidence {
  readonly attacks: Map<Attack, AttackShare>
  honestRaises: number
  /** Of the first honest report that raised it; empty of one that is none. */
  trap: string | undefined
  /** When background functions raised it, ms: the first times. */
  readonly alone: number[]
}

/** An alert that is raised more often says the same of its time. */
const MOST_TIMES = 100

export class AlertEvidence {
  readonly #byAlert = new Map<number, Evidence>()

  of(alertId: number): Evidence {
    let evidence = this.#byAlert.get(alertId)
    if (evidence === undefined) {
      evidence = { attacks: new Map(), honestRaises: 0, trap: undefined, alone: [] }
      this.#byAlert.set(alertId, evidence)
    }
    return evidence
  }

  /** @param mark of the report that raised it; undefined for a background function */
  note(raised: Omit<Raised, 'report'>, mark: ReportMark | undefined): void {
    const evidence = this.of(raised.alertId)
    if (mark === undefined) {
      if (evidence.alone.length < MOST_TIMES) evidence.alone.push(raised.atMs)
      return
    }
    if (mark.attack === undefined) {
      evidence.honestRaises++
      evidence.trap ??= mark.trap ?? ''
      return
    }
    const share = evidence.attacks.get(mark.attack) ?? {
      raises: 0,
      namedAtMs: undefined,
      firstAtMs: raised.atMs,
    }
    share.raises++
    if (share.namedAtMs === undefined && namesReport(raised, mark)) share.namedAtMs = raised.atMs
    evidence.attacks.set(mark.attack, share)
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
