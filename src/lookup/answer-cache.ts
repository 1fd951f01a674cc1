/**
 * HTTP answers for a while, bounded by number and size. One per policy worker. The same question asked while its answer
 * is on the way is not sent again.
 */
import { LRUCache } from 'lru-cache'
import type { HttpAnswer, HttpQuestion } from './http-answer.ts'

interface AnswerCacheOptions {
  readonly entries?: number
  readonly sizeBytes?: number
  readonly negativeTtlMs?: number
}

const DEFAULT_ENTRIES = 1000
const DEFAULT_SIZE_BYTES = 16 * 1024 * 1024
const DEFAULT_NEGATIVE_TTL_MS = 2_000

export class AnswerCache {
  readonly #answers: LRUCache<string, HttpAnswer>
  readonly #negativeTtlMs: number
  /** On the way; bounded by the requests that may be. */
  readonly #asked = new Map<string, Promise<HttpAnswer>>()

  constructor(options: AnswerCacheOptions) {
    this.#negativeTtlMs = options.negativeTtlMs ?? DEFAULT_NEGATIVE_TTL_MS
    this.#answers = new LRUCache({
      max: options.entries ?? DEFAULT_ENTRIES,
      maxSize: options.sizeBytes ?? DEFAULT_SIZE_BYTES,
      sizeCalculation: sizeOf,
      ttlAutopurge: false,
    })
  }

  /** The answer to a question that wants caching: kept, on the way, or asked for now. */
  async answer(
    key: string,
    asking: Pick<HttpQuestion, 'cacheSeconds' | 'timeoutMs'>,
    ask: () => Promise<HttpAnswer>,
  ): Promise<HttpAnswer> {
    const kept = this.#answers.get(key)
    if (kept !== undefined) return kept
    // A caller with less time must not wait for one with more.
    const flight = `${asking.timeoutMs ?? ''} ${key}`
    const asked = this.#asked.get(flight)
    if (asked !== undefined) return asked
    const coming = ask()
    this.#asked.set(flight, coming)
    try {
      const answer = await coming
      this.#answers.set(key, answer, { ttl: this.#ttlMs(answer, 1000 * (asking.cacheSeconds ?? 0)) })
      return answer
    } finally {
      this.#asked.delete(flight)
    }
  }

  /** A server in trouble is spared for a moment, but its trouble is not remembered as if it were an answer. */
  #ttlMs(answer: HttpAnswer, wantedMs: number): number {
    const isNegative = !answer.ok || answer.status >= 500 || answer.status === 429
    return Math.max(1, Math.ceil(isNegative ? Math.min(wantedMs, this.#negativeTtlMs) : wantedMs))
  }
}

/** In bytes, roughly: two per character, and what an entry costs by itself. */
function sizeOf(answer: HttpAnswer, key: string): number {
  const overhead = 500
  if (!answer.ok) return overhead + 2 * (key.length + answer.error.length)
  let headers = 0
  for (const [name, value] of Object.entries(answer.headers)) headers += name.length + value.length
  return overhead + 2 * (key.length + answer.body.length + headers)
}
