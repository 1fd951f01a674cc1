/**
 * What was typed on the console, kept in the user's home from one time to the next. Lines that hold a secret are not kept.
 * A history that cannot be read or written is no reason not to work: it is just not there.
 */
import { appendFileSync, chmodSync, readFileSync, renameSync, writeFileSync } from 'node:fs'

/** Lines; the oldest go first. */
export const MAX_HISTORY = 1000
/** A pasted text is no line that anyone looks for again. */
const MAX_LINE_LENGTH = 4096
const OWNER_ONLY = 0o600

export class HistoryFile {
  readonly #path: string
  #last = ''

  constructor(path: string) {
    this.#path = path
  }

  /** The kept lines, newest first. A file that has grown is cut to the newest ones. */
  load(): readonly string[] {
    let lines: readonly string[]
    try {
      lines = readFileSync(this.#path, 'utf8').split('\n').filter(isKept)
      // Somebody may have made it readable for all.
      chmodSync(this.#path, OWNER_ONLY)
      if (lines.length > MAX_HISTORY) this.#rewrite(lines.slice(-MAX_HISTORY))
    } catch {
      return []
    }
    this.#last = lines.at(-1) ?? ''
    return lines.slice(-MAX_HISTORY).toReversed()
  }

  /** Adds a line, unless it is the one before it once more. */
  add(line: string): void {
    if (!isKept(line) || line === this.#last) return
    this.#last = line
    try {
      appendFileSync(this.#path, `${line}\n`, { mode: OWNER_ONLY })
    } catch {
      // Without a home, or on a full disk, the console works all the same.
    }
  }

  /** In one step: another console may write at the same time. */
  #rewrite(lines: readonly string[]): void {
    const temporary = `${this.#path}.${process.pid}`
    writeFileSync(temporary, lines.map((line) => `${line}\n`).join(''), { mode: OWNER_ONLY })
    renameSync(temporary, this.#path)
  }
}

/** Whether a line may be remembered, here and by the arrow keys. */
export function isKept(line: string): boolean {
  return line.trim() !== '' && line.length <= MAX_LINE_LENGTH && !/setkey|passw|secret/i.test(line)
}
