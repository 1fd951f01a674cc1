/**
 * Reads a page of the manual so that tests can compare what it says with the code: its tagged entries and its examples.
 * Knows the man(7) macros that our pages use, and no more.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const FOLDER = new URL('../../man/', import.meta.url)

/** One `.TP` entry. */
export interface ManEntry {
  /** Title of the `.SH` that it stands under. */
  readonly section: string
  /** Title of the `.SS`, empty if there is none. */
  readonly subsection: string
  readonly tag: string
  /** What follows, as one line. */
  readonly body: string
}

/** A block between `.EX` and `.EE` with a comment such as `.\" example: NAME` before it. */
export interface ManExample {
  readonly page: string
  readonly kind: string
  readonly name: string
  readonly text: string
}

export interface ManPage {
  readonly name: string
  readonly path: string
  readonly source: string
  readonly entries: readonly ManEntry[]
  readonly examples: readonly ManExample[]
}

export const MAN_PAGES: readonly string[] = readdirSync(FOLDER)
  .filter((name) => /\.\d$/.test(name))
  .toSorted()

export function readManPage(name: string): ManPage {
  const path = fileURLToPath(new URL(name, FOLDER))
  const source = readFileSync(path, 'utf8')
  const lines = source.split('\n')
  return { name, path, source, entries: entriesOf(lines), examples: examplesOf(name, lines) }
}

/** The tags of a section, or of one of its subsections. */
export function tagsOf(page: ManPage, section: string, subsection?: string): readonly string[] {
  const entries = page.entries.filter(
    (entry) => entry.section === section && (subsection === undefined || entry.subsection === subsection),
  )
  return entries.map((entry) => entry.tag)
}

function entriesOf(lines: readonly string[]): readonly ManEntry[] {
  const entries: { section: string; subsection: string; tag: string; body: string }[] = []
  let section = ''
  let subsection = ''
  let isInEntry = false
  let tagIsNext = false
  for (const line of lines) {
    const [, macro = '', rest = ''] = /^\.(\w+|\\")\s*(.*)$/.exec(line) ?? []
    switch (macro) {
      case 'SH':
        section = textOf(rest)
        subsection = ''
        isInEntry = false
        break
      case 'SS':
        subsection = textOf(rest)
        isInEntry = false
        break
      case 'TP':
      case 'TQ':
        tagIsNext = true
        isInEntry = true
        break
      case 'PP':
        isInEntry = false
        break
      case 'IP':
      case 'EX':
      case 'EE':
      case '\\"':
        break
      default: {
        const last = entries.at(-1)
        if (tagIsNext) entries.push({ section, subsection, tag: lineText(line), body: '' })
        else if (isInEntry && last !== undefined) last.body = `${last.body} ${lineText(line)}`.trim()
        tagIsNext = false
      }
    }
  }
  return entries
}

function examplesOf(page: string, lines: readonly string[]): readonly ManExample[] {
  const examples: ManExample[] = []
  for (const [index, line] of lines.entries()) {
    const [, kind, name] = /^\.\\" (\w+): (\S+)$/.exec(line) ?? []
    if (kind === undefined || name === undefined) continue
    const begin = lines.indexOf('.EX', index)
    const end = lines.indexOf('.EE', begin)
    const text = lines
      .slice(begin + 1, end)
      .map(unescaped)
      .join('\n')
    examples.push({ page, kind, name, text: `${text}\n` })
  }
  return examples
}

/** A line of text, or of a macro that only changes the font. */
function lineText(line: string): string {
  const [, macro, rest = ''] = /^\.([A-Z]+)\s*(.*)$/.exec(line) ?? []
  if (macro === undefined) return unescaped(line)
  const words = argumentsOf(rest)
  // .B and .I print their arguments apart, .BR and its kin print them together.
  return words.join(macro.length === 1 ? ' ' : '')
}

function textOf(rest: string): string {
  return argumentsOf(rest).join(' ')
}

function argumentsOf(rest: string): readonly string[] {
  const words = rest.match(/"(?:[^"]|"")*"|(?:\\ |\S)+/g) ?? []
  return words.map((word) => unescaped(word.startsWith('"') ? word.slice(1, -1).replaceAll('""', '"') : word))
}

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['\\-', '-'],
  ['\\e', '\\'],
  ['\\&', ''],
  ['\\ ', ' '],
  ['\\(dq', '"'],
  ['\\(aq', "'"],
  ['\\(ha', '^'],
  ['\\(ti', '~'],
  ['\\(bu', '•'],
  ['\\fR', ''],
  ['\\fI', ''],
  ['\\fB', ''],
  ['\\fP', ''],
])

/** @throws Error for an escape that our pages do not use so far */
function unescaped(text: string): string {
  return text.replaceAll(/\\(?:\[u([\dA-F]{4})\]|\(..|f.|.)/g, (escape, code: string | undefined) => {
    if (code !== undefined) return String.fromCharCode(Number.parseInt(code, 16))
    const character = ESCAPES.get(escape)
    if (character === undefined)
      throw new Error(`the escape ${escape} is unknown here; add it to man-page.ts`)
    return character
  })
}
