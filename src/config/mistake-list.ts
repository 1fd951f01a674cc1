/**
 * Mistakes of a configuration, each once and a bounded number of them. Pure; lives on the thread that inspects.
 */
import type { Mistake } from './inspection.ts'

/** A loop can make any number. */
const MOST_MISTAKES = 1000

export class MistakeList {
  readonly #mistakes = new Map<string, Mistake>()

  /** Notes a message of Lua, which begins with file and line unless it is not of one line. */
  add(text: string): void {
    const [, file, line, message] = /^(.*?):(\d+): ([\s\S]*)$/.exec(text) ?? []
    if (file === undefined || message === undefined) {
      this.#keep({ file: undefined, line: undefined, message: text })
    } else {
      this.#keep({ file, line: Number(line), message })
    }
  }

  /** Files in the order in which their first mistake was found; what is of no line comes last. */
  sorted(): readonly Mistake[] {
    const all = [...this.#mistakes.values()]
    const files = [...new Set(all.map(({ file }) => file))]
    const rank = ({ file }: Mistake): number => (file === undefined ? files.length : files.indexOf(file))
    return all.toSorted((a, b) => rank(a) - rank(b) || (a.line ?? 0) - (b.line ?? 0))
  }

  #keep(mistake: Mistake): void {
    if (this.#mistakes.size >= MOST_MISTAKES) return
    this.#mistakes.set(JSON.stringify(mistake), mistake)
  }
}
