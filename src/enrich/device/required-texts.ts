/**
 * Which plain texts a regular expression cannot do without, so that most of a thousand expressions need not be run, nor
 * even compiled, for one user agent. Pure. It may say less than is true, and never more: what it does not understand
 * counts as able to match anything. Syntax: ECMA-262, patterns without the u and v flags.
 */

/** At least one of these is in every text that matches. */
export type AnyOf = readonly string[]

/** Sets of exact texts beyond this size are taken apart. */
const MAX_EXACT = 32
/** Classes such as [Aa] are spelt out up to this size. */
const MAX_CLASS = 4

/** What is known about a part of a pattern. */
interface Part {
  /** All the texts that it matches, when they are few. */
  readonly exact?: readonly string[]
  /** Else what its matches contain: one text of each of these. */
  readonly needs: readonly AnyOf[]
}

const ANYTHING: Part = { needs: [] }
const NOTHING_WIDE: Part = { exact: [''], needs: [] }
/** Escapes that stand for many characters. */
const CLASS_ESCAPES = /[dDwWsS]/
const CONTROL_ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', f: '\f', v: '\v' }

/**
 * What every text that matches contains, letter case aside: one text of each set. Texts are in lower case and pure
 * ASCII, so that they can be looked for in the lower-case form of an input. Empty when nothing is known.
 *
 * @param source of a valid pattern
 */
export function requiredTexts(source: string): readonly AnyOf[] {
  const part = new PatternReader(source).read()
  return part === undefined ? [] : needsOf(part).map((texts) => [...new Set(texts)])
}

/** Reads a pattern from left to right. */
class PatternReader {
  readonly #source: string
  #at = 0
  /** Something was met that this reader does not know. */
  #isLost = false

  constructor(source: string) {
    this.#source = source
  }

  read(): Part | undefined {
    const part = this.#alternatives(0)
    return this.#isLost || this.#at < this.#source.length ? undefined : part
  }

  #alternatives(depth: number): Part {
    const branches = [this.#sequence(depth)]
    while (this.#take('|')) branches.push(this.#sequence(depth))
    return either(branches)
  }

  #sequence(depth: number): Part {
    const parts: Part[] = []
    while (this.#at < this.#source.length && !this.#isLost) {
      const next = this.#source[this.#at]
      if (next === '|' || next === ')') break
      parts.push(this.#quantified(this.#atom(depth)))
    }
    return inSequence(parts)
  }

  #atom(depth: number): Part {
    const char = this.#source[this.#at] ?? ''
    this.#at += 1
    if (char === '(') return this.#group(depth)
    if (char === '[') return this.#class()
    if (char === '\\') return this.#escape()
    if (char === '.') return ANYTHING
    return char === '^' || char === '$' ? NOTHING_WIDE : literal(char)
  }

  #group(depth: number): Part {
    // A look-around takes no width, and what it asks for may lie outside the match: it says nothing here.
    const isLookAround = /^\?<?[=!]/.test(this.#source.slice(this.#at, this.#at + 3))
    if (!this.#take('?:') && this.#source[this.#at] === '?' && !isLookAround) this.#isLost = true
    if (isLookAround) this.#at += this.#source[this.#at + 1] === '<' ? 3 : 2
    if (depth > 50) this.#isLost = true
    const inside = this.#isLost ? ANYTHING : this.#alternatives(depth + 1)
    if (!this.#take(')')) this.#isLost = true
    return isLookAround ? NOTHING_WIDE : inside
  }

  #class(): Part {
    const chars: string[] = []
    let isPlain = !this.#take('^')
    while (this.#at < this.#source.length && this.#source[this.#at] !== ']') {
      const char = this.#source[this.#at] ?? ''
      const isEscape = char === '\\'
      const isRange = this.#source[this.#at + 1] === '-' && this.#source[this.#at + 2] !== ']'
      if (isEscape || isRange || char === '-') isPlain = false
      chars.push(char)
      this.#at += isEscape ? 2 : 1
    }
    if (!this.#take(']')) this.#isLost = true
    if (!isPlain || chars.length === 0 || chars.length > MAX_CLASS) return ANYTHING
    return either(chars.map((char) => literal(char)))
  }

  #escape(): Part {
    const char = this.#source[this.#at] ?? ''
    this.#at += 1
    if (CLASS_ESCAPES.test(char)) return ANYTHING
    if (char === 'b' || char === 'B') return NOTHING_WIDE
    const control = CONTROL_ESCAPES[char]
    if (control !== undefined) return literal(control)
    // Back references, code points, and whatever else is written with a letter or a digit.
    if (/[0-9A-Za-z]/.test(char)) this.#isLost = true
    return literal(char)
  }

  #quantified(part: Part): Part {
    if (!'*+?{'.includes(this.#source[this.#at] ?? ' ')) return part
    const quantifier = /^(?:[*+?]|\{(\d+)(?:,\d*)?\})/.exec(this.#source.slice(this.#at, this.#at + 24))
    if (quantifier === null) return part
    this.#at += quantifier[0].length
    this.#take('?')
    const least = quantifier[1] === undefined ? (quantifier[0] === '+' ? 1 : 0) : Number(quantifier[1])
    if (least > 0) return { needs: needsOf(part) }
    return quantifier[0] === '?' ? either([part, NOTHING_WIDE]) : ANYTHING
  }

  #take(text: string): boolean {
    if (!this.#source.startsWith(text, this.#at)) return false
    this.#at += text.length
    return true
  }
}

function literal(char: string): Part {
  const isAscii = char.charCodeAt(0) < 0x80
  return isAscii ? { exact: [char.toLowerCase()], needs: [] } : ANYTHING
}

function either(branches: readonly Part[]): Part {
  const [only, second] = branches
  if (only !== undefined && second === undefined) return only
  const exact = branches.flatMap((branch) => branch.exact ?? [])
  if (branches.every((branch) => branch.exact !== undefined) && exact.length <= MAX_EXACT)
    return { exact, needs: [] }
  const texts: string[] = []
  for (const branch of branches) {
    const best = longest(needsOf(branch))
    if (best === undefined) return ANYTHING
    texts.push(...best)
  }
  return { needs: [texts] }
}

function inSequence(parts: readonly Part[]): Part {
  const needs: AnyOf[] = []
  let isExact = true
  let heads: readonly string[] = ['']
  // Most parts are single letters: they gather here before they are added to each head.
  let tail = ''
  const run = (): readonly string[] => (tail === '' ? heads : heads.map((head) => head + tail))
  for (const { exact, needs: inner } of parts) {
    if (exact?.length === 1) {
      tail += exact[0] ?? ''
    } else if (exact !== undefined && heads.length * exact.length <= MAX_EXACT) {
      heads = run().flatMap((head) => exact.map((text) => head + text))
      tail = ''
    } else {
      isExact = false
      needs.push(...useful([run()]), ...inner)
      heads = exact ?? ['']
      tail = ''
    }
  }
  return isExact ? { exact: run(), needs: [] } : { needs: [...needs, ...useful([run()])] }
}

function needsOf(part: Part): readonly AnyOf[] {
  return part.exact === undefined ? part.needs : useful([part.exact])
}

/** A set with the empty text asks for nothing. */
function useful(sets: readonly AnyOf[]): readonly AnyOf[] {
  return sets.filter((texts) => !texts.includes(''))
}

function longest(sets: readonly AnyOf[]): AnyOf | undefined {
  const shortestOf = (texts: AnyOf): number => Math.min(...texts.map((text) => text.length))
  return sets.reduce<AnyOf | undefined>(
    (best, texts) => (best === undefined || shortestOf(texts) > shortestOf(best) ? texts : best),
    undefined,
  )
}
