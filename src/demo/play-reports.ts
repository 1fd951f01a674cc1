/**
 * Sends reports to a server over HTTP, in their order, and moves the clock of the demo along. Main thread of the command.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { askServer, type HttpTarget } from '../cli/http-target.ts'
import { TrackError } from '../errors.ts'
import type { SimulatedReport } from '../simulator/simulated-report.ts'

/** Reports of one request, as senders with a queue put them together. */
const MOST_AT_ONCE = 512
const TIMEOUT_MS = 30_000
/** The server has as much as it may hold. */
const BUSY = 503
const RETRY_MS = 200
/** How often it is looked whether the next reports are due. */
const TICK_MS = 50
const DAY_SECONDS = 86_400

/** Where the demo is in its days; it never goes back. */
export class DemoClock {
  #nowMs: number

  constructor(startMs: number) {
    this.#nowMs = startMs
  }

  readonly now = (): number => this.#nowMs

  moveTo(nowMs: number): void {
    this.#nowMs = Math.max(this.#nowMs, nowMs)
  }
}

interface Playing {
  readonly target: HttpTarget
  readonly clock: DemoClock
  /** Stops it early. */
  readonly signal: AbortSignal
  /** A day of the reports takes so long; 0: they are sent as fast as the server runs them. */
  readonly dayMs: number
  /** Reports that the server has taken. */
  readonly onSent: (count: number) => void
  /** Resolves when the server has run what it has taken. */
  readonly allRun: () => Promise<void>
}

/** @throws TrackError TRK_DEMO_FAILED when the server does not take them */
export async function playReports(reports: readonly SimulatedReport[], playing: Playing): Promise<void> {
  const { clock, signal, dayMs, onSent, allRun } = playing
  const [first] = reports
  if (first === undefined) return
  const beganMs = performance.now()
  let at = 0
  while (at < reports.length && !signal.aborted) {
    const dueSeconds =
      dayMs === 0 ? Infinity : first.t + ((performance.now() - beganMs) / dayMs) * DAY_SECONDS
    const next = reports.slice(at, at + MOST_AT_ONCE)
    const later = next.findIndex(({ t }) => t > dueSeconds)
    const due = later === -1 ? next : next.slice(0, later)
    const last = due.at(-1)
    if (last === undefined) {
      await sleep(TICK_MS)
      continue
    }
    clock.moveTo(last.t * 1000)
    await send(due, playing)
    at += due.length
    onSent(due.length)
    // The clock must not be days ahead of what is run: by it things expire.
    if (dayMs === 0) await allRun()
  }
}

async function send(reports: readonly SimulatedReport[], { target, signal }: Playing): Promise<void> {
  // What the simulator knows about a login is nothing that a sender would know.
  const records = reports.map(({ label: _label, attack: _attack, trap: _trap, ...value }) => ({ value }))
  const body = JSON.stringify({ records })
  while (!signal.aborted) {
    const answer = await askServer(target, { path: '/command/report', body, timeoutMs: TIMEOUT_MS })
    if (answer.status === 200) return
    if (answer.status !== BUSY) {
      throw new TrackError('TRK_DEMO_FAILED', `reports were answered with ${answer.status}: ${answer.body}`)
    }
    await sleep(RETRY_MS)
  }
}
