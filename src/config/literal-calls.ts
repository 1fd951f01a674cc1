/**
 * Calls in Lua source whose first argument is a text: enough to find names that are used in functions which have not run.
 * Pure; it knows Lua's tokens and not its grammar.
 */

export interface LiteralCall {
  readonly name: string
  readonly argument: string
  /** From 1. */
  readonly line: number
}

/** Comments, long strings, strings, names, white space, and any other character. */
const TOKEN =
  /(?<comment>--\[(?<a>=*)\[[\s\S]*?(?:\]\k<a>\]|$(?![\s\S]))|--[^\n]*)|(?<long>\[(?<b>=*)\[[\s\S]*?(?:\]\k<b>\]|$(?![\s\S])))|(?<string>"(?:\\[\s\S]|[^"\\\n])*"?|'(?:\\[\s\S]|[^'\\\n])*'?)|(?<name>[A-Za-z_]\w*)|(?<space>\s+)|(?<other>[\s\S])/g

interface Token {
  readonly kind: 'name' | 'string' | 'other'
  readonly text: string
  readonly line: number
}

/**
 * Calls of these global functions with a literal text, in the order of the source. Texts with escapes and long strings
 * are left out.
 */
export function literalCalls(source: string, names: ReadonlySet<string>): readonly LiteralCall[] {
  const tokens = tokensOf(source)
  const calls: LiteralCall[] = []
  for (const [index, token] of tokens.entries()) {
    if (token.kind !== 'name' || !names.has(token.text)) continue
    const before = tokens[index - 1]?.text
    // A method or a member of that name, or its definition.
    if (before === '.' || before === ':' || before === 'function') continue
    const hasParenthesis = tokens[index + 1]?.text === '('
    const literal = tokens[index + (hasParenthesis ? 2 : 1)]
    if (literal?.kind !== 'string' || literal.text.includes('\\')) continue
    const after = tokens[index + 3]?.text
    if (hasParenthesis && after !== ',' && after !== ')') continue
    calls.push({ name: token.text, argument: literal.text.slice(1, -1), line: token.line })
  }
  return calls
}

function tokensOf(source: string): readonly Token[] {
  const tokens: Token[] = []
  let line = 1
  for (const { 0: text, groups = {} } of source.matchAll(TOKEN)) {
    if (groups['name'] !== undefined) tokens.push({ kind: 'name', text, line })
    else if (groups['string'] !== undefined) tokens.push({ kind: 'string', text, line })
    else if (groups['other'] !== undefined || groups['long'] !== undefined)
      tokens.push({ kind: 'other', text, line })
    line += text.split('\n').length - 1
  }
  return tokens
}
