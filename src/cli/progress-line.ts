/**
 * A line on a terminal that says how far a command has come, written over again and again. Main thread of the command.
 */
import type { Writable } from 'node:stream'

const EVERY_MS = 200
const BAR_WIDTH = 30
const CLEAR_LINE = '\r\u001b[2K'

export class ProgressLine {
  readonly #output: Writable
  readonly #now: () => number
  readonly #beganMs: number
  #shownMs = -Infinity

  /** @param now - milliseconds of any clock that does not go back */
  constructor(output: Writable, now: () => number) {
    this.#output = output
    this.#now = now
    this.#beganMs = now()
  }

  /** @param share - 0 to 1; undefined when nobody knows how much there is */
  show(share: number | undefined, reports: number): void {
    const nowMs = this.#now()
    if (nowMs - this.#shownMs < EVERY_MS) return
    this.#shownMs = nowMs
    this.#output.write(`${CLEAR_LINE}${progressText(share, reports, nowMs - this.#beganMs)}`)
  }

  /** Leaves an empty line for what comes next. */
  clear(): void {
    if (this.#shownMs > -Infinity) this.#output.write(CLEAR_LINE)
  }
}

/** `[######      ]  50 %  12000 reports, 24000/s, 10 s left`. Pure. */
export function progressText(share: number | undefined, reports: number, tookMs: number): string {
  const speed = Math.round((reports / Math.max(tookMs, 1)) * 1000)
  const counts = `${reports} reports, ${speed}/s`
  if (share === undefined) return counts
  const done = Math.min(1, Math.max(0, share))
  const bar = '#'.repeat(Math.floor(done * BAR_WIDTH)).padEnd(BAR_WIDTH)
  const left = done === 0 ? '' : `, ${Math.round((tookMs / 1000) * (1 / done - 1))} s left`
  return `[${bar}] ${String(Math.floor(done * 100)).padStart(3)} %  ${counts}${left}`
}
