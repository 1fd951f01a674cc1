/**
 * Finds, for an input, the few rules of a list that could match it: an index from three-letter pieces of the texts that
 * each rule needs to the rules. Immutable once made but for a scratch buffer; one thread uses it at a time.
 */
import { requiredTexts, type AnyOf } from './required-texts.ts'

const PIECE_LENGTH = 3
/** Pieces that most user agents have: an index entry under them selects little. */
const COMMON = `mozilla/5.0 (windows nt 10.0; win64; x64; rv:109.0) gecko/20100101 firefox/115.0
(macintosh; intel mac os x 10_15_7) applewebkit/537.36 (khtml, like gecko) chrome/120.0.0.0 safari/537.36
(iphone; cpu iphone os 17_2 like mac os x) version/17.2 mobile/15e148 (x11; linux x86_64) compatible; msie
(linux; u; android 14; en-us; sm-g991b build/tp1a) samsungbrowser/23.0 http://www. https:// .com/ .html) bot`
const COMMON_COST = 100
/** Rules under one piece. More make it a worse choice. */
const CROWD_COST = 0.1

export interface TextIndex {
  /** Positions of the rules that may match, ascending. All that do match are among them. */
  candidates(input: string): Iterable<number>
}

/** An index of rules, given the sources of their patterns. */
export function createTextIndex(sources: readonly string[]): TextIndex {
  const always: number[] = []
  const rulesOf = new Map<number, number[]>()
  const commonPieces = new Set(piecesOf(COMMON))
  const costOf = (piece: number): number =>
    (commonPieces.has(piece) ? COMMON_COST : 1) + (rulesOf.get(piece)?.length ?? 0) * CROWD_COST
  for (const [position, source] of sources.entries()) {
    const pieces = cheapest(requiredTexts(source), costOf)
    if (pieces === undefined) always.push(position)
    for (const piece of pieces ?? []) {
      const rules = rulesOf.get(piece)
      if (rules === undefined) rulesOf.set(piece, [position])
      else rules.push(position)
    }
  }
  const marks = new Uint8Array(sources.length)
  return {
    *candidates(input) {
      marks.fill(0)
      for (const position of always) marks[position] = 1
      for (const piece of piecesOf(input.toLowerCase())) {
        for (const position of rulesOf.get(piece) ?? []) marks[position] = 1
      }
      let position = marks.indexOf(1)
      while (position !== -1) {
        yield position
        position = marks.indexOf(1, position + 1)
      }
    },
  }
}

/** For the set of texts that selects best: one piece of each text. Undefined when no set has only long enough texts. */
function cheapest(sets: readonly AnyOf[], costOf: (piece: number) => number): readonly number[] | undefined {
  let best: { readonly pieces: readonly number[]; readonly cost: number } | undefined
  for (const texts of sets) {
    if (texts.some((text) => text.length < PIECE_LENGTH)) continue
    const pieces = texts.map((text) => piecesOf(text).reduce((a, b) => (costOf(b) < costOf(a) ? b : a)))
    const cost = pieces.reduce((sum, piece) => sum + costOf(piece), 0)
    if (best === undefined || cost < best.cost) best = { pieces: [...new Set(pieces)], cost }
  }
  return best?.pieces
}

/** Every run of three characters, as a number. Rules need ASCII only, so other characters may share numbers. */
function piecesOf(text: string): number[] {
  const pieces: number[] = []
  for (let index = 0; index + PIECE_LENGTH <= text.length; index++) {
    const [a, b, c] = [text.charCodeAt(index), text.charCodeAt(index + 1), text.charCodeAt(index + 2)]
    pieces.push(((a & 0xff) << 16) | ((b & 0xff) << 8) | (c & 0xff))
  }
  return pieces
}
