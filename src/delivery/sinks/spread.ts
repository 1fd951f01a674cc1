/**
 * One message for several hosts: all of them get it, or the first that takes it. Main thread.
 */
import type { Attempt } from '../sender.ts'
import { answerText } from './attempts.ts'
import { placeText, type Place } from './sink-keys.ts'

export const SPREAD_MODES = ['all', 'failover'] as const
export type SpreadMode = (typeof SPREAD_MODES)[number]

interface SpreadOptions {
  readonly places: readonly Place[]
  readonly mode: SpreadMode
}

/** Messages that some hosts have and others do not are remembered; the oldest is forgotten, and then sent twice. */
const MAX_REMEMBERED = 10_000

export class Spread {
  readonly #options: SpreadOptions
  /** Delivery id to the hosts that have it, while others do not. */
  readonly #taken = new Map<string, Set<string>>()

  constructor(options: SpreadOptions) {
    this.#options = options
  }

  send(deliveryId: string, sendTo: (place: Place) => Promise<Attempt>): Promise<Attempt> {
    return this.#options.mode === 'all' ? this.#toAll(deliveryId, sendTo) : this.#toFirst(sendTo)
  }

  async #toFirst(sendTo: (place: Place) => Promise<Attempt>): Promise<Attempt> {
    const attempts: Named[] = []
    for (const place of this.#options.places) {
      attempts.push(await named(place, sendTo))
      if (attempts.at(-1)?.attempt.verdict.kind === 'success') break
    }
    return together(attempts, 'failover')
  }

  async #toAll(deliveryId: string, sendTo: (place: Place) => Promise<Attempt>): Promise<Attempt> {
    const taken = this.#taken.get(deliveryId) ?? new Set()
    const left = this.#options.places.filter((place) => !taken.has(placeText(place)))
    const attempts = await Promise.all(left.map((place) => named(place, sendTo)))
    const outcome = together(attempts, 'all')
    this.#taken.delete(deliveryId)
    if (outcome.verdict.kind === 'retry') {
      for (const { place, attempt } of attempts) if (attempt.verdict.kind !== 'retry') taken.add(place)
      this.#remember(deliveryId, taken)
    }
    return outcome
  }

  #remember(deliveryId: string, taken: Set<string>): void {
    if (taken.size === 0) return
    this.#taken.set(deliveryId, taken)
    const [oldest] = this.#taken.keys()
    if (this.#taken.size > MAX_REMEMBERED && oldest !== undefined) this.#taken.delete(oldest)
  }
}

interface Named {
  readonly place: string
  readonly attempt: Attempt
}

async function named(place: Place, sendTo: (place: Place) => Promise<Attempt>): Promise<Named> {
  return { place: placeText(place), attempt: await sendTo(place) }
}

/** all: it waits for those that may still take it. failover: one is enough. */
function together(attempts: readonly Named[], mode: SpreadMode): Attempt {
  const order =
    mode === 'all' ? (['retry', 'success', 'final'] as const) : (['success', 'retry', 'final'] as const)
  const deciding = order
    .map((kind) => attempts.find(({ attempt }) => attempt.verdict.kind === kind))
    .find((found) => found !== undefined)
  const answer = attempts.map(({ place, attempt }) => `${place}: ${attempt.answer}`).join('; ')
  return {
    verdict: deciding?.attempt.verdict ?? { kind: 'success' },
    answer: answerText(answer),
  }
}
