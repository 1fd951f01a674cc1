/**
 * Chance that comes out the same for the same seed on every machine: 32-bit integers only, no clock and no Math
 * functions whose last digit is up to the platform. Pure.
 *
 * The generator is SFC32 of PractRand (Chris Doty-Humphrey, public domain); `mix` uses the last step of MurmurHash3
 * (Austin Appleby, public domain).
 */

/** Rounds after which a generator that started with little in its state gives even numbers. */
const WARM_UP_ROUNDS = 12

/** One number out of several; neighbours in, strangers out. All are taken as 32-bit integers. */
export function mix(...parts: readonly number[]): number {
  let hash = 0x9e3779b9
  for (const part of parts) {
    hash = Math.imul(hash ^ part, 0x85ebca6b)
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
    hash ^= hash >>> 16
  }
  return hash >>> 0
}

/** A number for a text (FNV-1a, public domain). */
export function numberOf(text: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  return mix(hash)
}

/** A stream of chance of its own. */
export class Random {
  #a: number
  #b: number
  #c: number
  #counter = 1

  constructor(...seed: readonly number[]) {
    this.#a = mix(...seed, 1)
    this.#b = mix(...seed, 2)
    this.#c = mix(...seed, 3)
    for (let round = 0; round < WARM_UP_ROUNDS; round++) this.next()
  }

  /** An integer from 0 to 2^32 - 1. */
  next(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0
    this.#counter = (this.#counter + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0
    return sum >>> 0
  }

  /** From 0 to below 1. */
  fraction(): number {
    return this.next() / 4_294_967_296
  }

  /** From `from` to below `to`. */
  between(from: number, to: number): number {
    return from + this.fraction() * (to - from)
  }

  /** An integer from 0 to below `size`, or 0 when there is none. */
  below(size: number): number {
    return Math.floor(this.fraction() * size)
  }

  /** An integer, both ends included. */
  integer(from: number, to: number): number {
    return from + this.below(to - from + 1)
  }

  chance(probability: number): boolean {
    return this.fraction() < probability
  }

  /** Most values are near the middle: the mean of three. */
  around(middle: number, spread: number): number {
    return middle + spread * (this.fraction() + this.fraction() + this.fraction() - 1.5)
  }

  /** One of a list that is not empty. */
  pick<T>(list: readonly [T, ...(readonly T[])]): T {
    return list[this.below(list.length)] ?? list[0]
  }

  /** At most `count` members of a list, in an order of chance. */
  sample<T>(list: readonly T[], count: number): readonly T[] {
    const rest = [...list]
    const chosen: T[] = []
    while (chosen.length < count && rest.length > 0) {
      const at = this.below(rest.length)
      chosen.push(...rest.slice(at, at + 1))
      const last = rest.pop()
      if (at < rest.length && last !== undefined) rest[at] = last
    }
    return chosen
  }
}
