/**
 * What the labels of the reports say: who is an honest user, which attacks there are, whom and from where they go. Pure state
 * of the main thread of the command.
 */
import { TrackError } from '../errors.ts'
import type { LoginReport } from '../login/login-report.ts'
import type { ReportLabels } from './parse-line.ts'

export interface Attack {
  readonly id: string
  readonly type: string
  /** The last part of an id that is TYPE-NUMBER-FORM; empty of another one. */
  readonly form: string
  readonly firstSeconds: number
  lastSeconds: number
  readonly logins: Set<string>
  readonly remotes: Set<string>
}

/** What a report is, for judging the alerts that it raises. */
export interface ReportMark {
  readonly login: string
  readonly remote: string
  /** undefined: an honest report. */
  readonly attack: Attack | undefined
  readonly trap: string | undefined
}

const HONEST_LABELS: ReadonlySet<string> = new Set(['', 'benign', 'honest'])
const MOST_ATTACKS = 100_000
/** Logins and addresses of all attacks. */
const MOST_NAMES = 5_000_000
/** Users beyond are not told apart. */
export const MOST_USERS = 5_000_000

export class Traffic {
  readonly #attacks = new Map<string, Attack>()
  readonly #users = new Set<string>()
  #names = 0
  #hasLabels = false

  /** Some report has said what it is. */
  get hasLabels(): boolean {
    return this.#hasLabels
  }

  get attacks(): readonly Attack[] {
    return [...this.#attacks.values()]
  }

  /** Logins that have an honest report. */
  get users(): number {
    return this.#users.size
  }

  /** @throws TrackError TRK_REPLAY_LIMIT when there are more attacks, or more in them, than can be told apart. */
  note({ login, remote, t }: LoginReport, { label, attack: id, trap }: ReportLabels): ReportMark {
    if (label !== undefined || id !== undefined || trap !== undefined) this.#hasLabels = true
    const type = label ?? id ?? ''
    const isHonest = id === undefined && HONEST_LABELS.has(type)
    if (isHonest) {
      if (this.#users.size < MOST_USERS) this.#users.add(login)
      return { login, remote, attack: undefined, trap }
    }
    const attack = this.#attackOf(id ?? type, type, t)
    attack.lastSeconds = Math.max(attack.lastSeconds, t)
    const before = attack.logins.size + attack.remotes.size
    attack.logins.add(login)
    attack.remotes.add(remote)
    this.#names += attack.logins.size + attack.remotes.size - before
    if (this.#names > MOST_NAMES)
      throw tooMany(`the attacks have more than ${MOST_NAMES} logins and addresses`)
    return { login, remote, attack, trap }
  }

  #attackOf(id: string, type: string, t: number): Attack {
    const known = this.#attacks.get(id)
    if (known !== undefined) return known
    if (this.#attacks.size >= MOST_ATTACKS) throw tooMany(`there are more than ${MOST_ATTACKS} attacks`)
    const attack = {
      id,
      type,
      form: formOf(id, type),
      firstSeconds: t,
      lastSeconds: t,
      logins: new Set<string>(),
      remotes: new Set<string>(),
    }
    this.#attacks.set(id, attack)
    return attack
  }
}

function formOf(id: string, type: string): string {
  if (!id.startsWith(`${type}-`)) return ''
  return /^\d+-(.+)$/.exec(id.slice(type.length + 1))?.[1] ?? ''
}

function tooMany(what: string): TrackError {
  return new TrackError('TRK_REPLAY_LIMIT', `${what}; replay fewer reports at a time`)
}
