/**
 * The load of the store's benchmark: reports, and the trend changes that the policy with seven trend operations makes of
 * them. Keys come from as many logins and addresses as asked for, by a generator with a seed.
 */
import { Buffer } from 'node:buffer'
import { encodeLoginReport } from '../../src/login/report-codec.ts'
import type { JournalledReport, Outcome, ReportToAppend } from '../../src/store/store.ts'
import { FIXED_SEED, itemHash } from '../../src/trends/item-hash.ts'
import { RunChanges } from '../../src/trends/run-changes.ts'
import type { TrendChange } from '../../src/trends/trend-change.ts'
import { parseTrendDefinition, type TrendDefinition } from '../../src/trends/trend-definition.ts'
import { addressOf, loginOf } from './bench-keys.ts'

const PROTOCOLS = ['imap', 'pop3', 'smtp', 'web'] as const
/** Of a login that is in order one in three succeeds, as in the benchmark of the whole server. */
const SUCCESS_EVERY = 3

/** One login to be counted. */
interface Login {
  readonly login: string
  readonly remote: string
  readonly protocol: string
  readonly success: boolean
}

export function benchDefinition(): TrendDefinition {
  const outcome = parseTrendDefinition({
    name: 'bench',
    windowSeconds: 3600,
    windowCount: 24,
    fields: new Map([
      ['count', 'int'],
      ['ips', 'hll'],
      ['users', 'hll'],
      ['proto', 'countmin'],
      ['fail', 'int'],
    ]),
    options: { maxKeys: 100_000_000 },
  })
  if (!outcome.ok) throw new TypeError(outcome.reason)
  return outcome.definition
}

/** Reports and the outcomes of their runs. */
export class StoreLoad {
  readonly definition = benchDefinition()
  readonly #logins: number
  readonly #addresses: number
  #state: number

  constructor(keys: { readonly logins: number; readonly addresses: number }, seed: number) {
    this.#logins = keys.logins
    this.#addresses = keys.addresses
    this.#state = seed
  }

  report(atMs: number): ReportToAppend {
    const { login, remote, protocol, success } = this.#randomLogin()
    const text = encodeLoginReport({
      t: atMs / 1000,
      login,
      remote,
      remote_port: 1024 + this.#below(60_000),
      pwhash: this.#below(0x10000).toString(16),
      success,
      policy_reject: false,
      fail_type: success ? '' : 'credentials',
      protocol,
      tls: true,
      device_id: '"name" "Thunderbird" "version" "128.3.0"',
      session_id: `${this.#below(2 ** 32).toString(36)}${this.#below(2 ** 32).toString(36)}`,
      device_attrs: {},
      attrs: {},
      attrs_mv: {},
    })
    return { login, remote, success, text, receivedAtMs: atMs }
  }

  /** What a policy worker hands over for a report that it has run. */
  outcomeOf({ id, text, receivedAtMs }: JournalledReport): Outcome {
    const { login, remote, protocol, success } = JSON.parse(text) as Login
    return this.#outcome(id, { login, remote, protocol, success }, receivedAtMs / 1000)
  }

  /** One run for each of these key numbers, without a report: for making many rows quickly. */
  fillOutcomes(from: number, count: number, atSeconds: number): readonly Outcome[] {
    return Array.from({ length: count }, (_, index) =>
      this.#outcome(
        undefined,
        { ...this.#randomLogin(), ...this.#names(from + index, from + index) },
        atSeconds,
      ),
    )
  }

  #outcome(reportId: number | undefined, login: Login, timeSeconds: number): Outcome {
    const changes = new RunChanges()
    const key = bytesOf(login.login)
    const address = bytesOf(login.remote)
    const add = (row: Uint8Array, field: string, change: (fieldId: number) => TrendChange): void => {
      const id = this.definition.fields.get(field)?.id ?? 0
      changes.add(this.definition.name, row, change(id))
    }
    const one = (fieldId: number): TrendChange => ({ op: 'int-add', fieldId, timeSeconds, amount: 1 })
    const distinct =
      (item: Uint8Array) =>
      (fieldId: number): TrendChange => {
        return { op: 'hll-add', fieldId, timeSeconds, hash: itemHash(FIXED_SEED, item) }
      }
    const protocol = itemHash(FIXED_SEED, bytesOf(login.protocol))
    add(key, 'count', one)
    add(address, 'count', one)
    add(key, 'ips', distinct(address))
    add(address, 'users', distinct(key))
    add(key, 'proto', (fieldId) => ({ op: 'countmin-add', fieldId, timeSeconds, hash: protocol, amount: 1 }))
    if (!login.success) for (const row of [key, address]) add(row, 'fail', one)
    return { kind: 'done', reportId, deltas: changes.encode(), messages: [], commit: undefined }
  }

  #randomLogin(): Login {
    return {
      ...this.#names(this.#below(this.#logins), this.#below(this.#addresses)),
      protocol: PROTOCOLS[this.#below(PROTOCOLS.length)] ?? 'imap',
      success: this.#below(SUCCESS_EVERY) === 0,
    }
  }

  #names(login: number, address: number): Pick<Login, 'login' | 'remote'> {
    return { login: loginOf(login % this.#logins), remote: addressOf(address % this.#addresses) }
  }

  /** A small generator with a seed (mulberry32). */
  #below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit)
  }
}

function bytesOf(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'utf8'))
}
