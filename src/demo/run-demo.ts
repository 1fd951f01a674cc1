/**
 * `trackalert demo`: the real server with the shipped configuration, simulated logins played into it over HTTP, and the
 * alerts that come of them. Main thread of the command, which is also that of the server.
 */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { explanationText } from '../alerts/explanation-text.ts'
import { createApp } from '../app/create-app.ts'
import { EXIT, type ExitStatus } from '../cli/exit-status.ts'
import { askServer, type HttpTarget } from '../cli/http-target.ts'
import { PacedOutput } from '../cli/paced-output.ts'
import { readExplained } from '../cli/shown-explanation.ts'
import type { Surroundings } from '../cli/surroundings.ts'
import { TrackError } from '../errors.ts'
import { formatLogLine } from '../telemetry/log-line.ts'
import { createLog } from '../telemetry/log.ts'
import { DemoAlerts, type SeenAlert } from './demo-alerts.ts'
import { makeDemoFolder, type DemoFolder } from './demo-configuration.ts'
import * as text from './demo-text.ts'
import { makeDemoTraffic, type DemoTraffic } from './demo-traffic.ts'
import { DemoClock, playReports } from './play-reports.ts'

const LOOK_EVERY_MS = 250
const LOOK_AGAIN_MS = 20
/** For at most 512 reports. */
const RUN_DEADLINE_MS = 60_000
/** Narrower ones are most likely not what they say. */
const LEAST_COLUMNS = 40
const STOP_DEADLINE_MS = 5_000
const TIMEOUT_MS = 10_000

export interface DemoChoice {
  readonly users: number
  readonly seed: number
  /** How long a day with attacks takes. */
  readonly dayMs: number
  /** The server stays up when everything is played. */
  readonly stay: boolean
}

export interface DemoHost {
  readonly surroundings: Surroundings
  /** That comes with the program; absolute path. */
  readonly configFile: string
  readonly regexesFile: string
  readonly onStopSignal: (listener: () => void) => void
}

/**
 * @returns 0 when it was played or interrupted, 1 when what it says cannot be written
 * @throws TrackError when the server does not start, or TRK_DEMO_FAILED when it does not do what it should
 */
export async function runDemo(choice: DemoChoice, host: DemoHost): Promise<ExitStatus> {
  const stopping = new AbortController()
  host.onStopSignal(() => stopping.abort())
  const output = new PacedOutput(host.surroundings.output)
  const folder = makeDemoFolder(host.configFile)
  try {
    const traffic = makeDemoTraffic(choice.users, choice.seed, Date.now())
    const clock = new DemoClock(traffic.startSeconds * 1000)
    host.surroundings.enterFolder(folder.configFile)
    const app = await startServer(host, folder, clock)
    try {
      const password = readFileSync(folder.passwordFile, 'utf8').trim()
      const target: HttpTarget = { origin: app.urls[0] ?? '', password, certificateFile: undefined }
      await new Demo(choice, {
        traffic,
        clock,
        target,
        folder,
        stopping,
        output,
        terminal: terminalOf(host.surroundings.output),
      }).run()
    } finally {
      await app.stop(STOP_DEADLINE_MS)
    }
    const complaint = output.complaint()
    if (complaint === undefined) return EXIT.ok
    host.surroundings.errors.write(`trackalert: ${complaint}\n`)
    return EXIT.failed
  } finally {
    folder.remove()
  }
}

function startServer({ surroundings, regexesFile }: DemoHost, folder: DemoFolder, clock: DemoClock) {
  const { log } = createLog({
    // That secrets were made is no news here.
    level: 'error',
    destinations: [
      (json) => surroundings.errors.write(formatLogLine(json, { time: 'none', hasColours: false })),
    ],
    now: Date.now,
  })
  return createApp({
    configFile: folder.configFile,
    regexesFile,
    version: surroundings.version,
    stateDirectoryFromEnvironment: folder.stateDirectory,
    environment: surroundings.environment,
    log,
    recover: false,
    clock: clock.now,
    onShutdownRequested: () => undefined,
  })
}

interface Stage {
  readonly traffic: DemoTraffic
  readonly clock: DemoClock
  readonly target: HttpTarget
  readonly folder: DemoFolder
  readonly stopping: AbortController
  readonly output: PacedOutput
  /** Undefined: the output is none. */
  readonly terminal: Terminal | undefined
}

interface Terminal {
  /** Undefined: it does not say. */
  readonly columns: number | undefined
}

class Demo {
  readonly #choice: DemoChoice
  readonly #stage: Stage
  readonly #alerts: DemoAlerts
  readonly #beganMs = performance.now()
  #sent = 0

  constructor(choice: DemoChoice, stage: Stage) {
    this.#choice = choice
    this.#stage = stage
    const { learning, attacked } = stage.traffic
    this.#alerts = new DemoAlerts(stage.target, [...learning, ...attacked])
  }

  async run(): Promise<void> {
    const { traffic, target, folder } = this.#stage
    const facts = { ...this.#choice, traffic, url: target.origin, passwordFile: folder.passwordFile }
    await this.#write(text.opening(facts))
    await this.#play()
    const all = this.#alerts.all
    await this.#write(
      text.summary(all, { reports: this.#sent, seconds: this.#seconds(), attacks: this.#begun() }),
    )
    const example = exampleOf(all)
    if (example !== undefined) await this.#explain(example)
    await this.#write(text.nextSteps())
    const { signal } = this.#stage.stopping
    if (this.#choice.stay && !signal.aborted) {
      await this.#write(text.staying(facts))
      // It may have been interrupted while that was written, or nobody took it.
      if (!signal.aborted) await once(signal, 'abort')
    }
  }

  async #play(): Promise<void> {
    const { traffic, target, clock, stopping, terminal } = this.#stage
    const { signal } = stopping
    const playing = {
      target,
      clock,
      signal,
      onSent: (count: number) => void (this.#sent += count),
      allRun: async () => {
        await this.#allRun()
        if (terminal !== undefined) await this.#write(text.progress(this.#sent, traffic.learning.length))
      },
    }
    await playReports(traffic.learning, { ...playing, dayMs: 0 })
    if (signal.aborted) return
    await this.#write(text.learned(this.#seconds()))
    const attacked = playReports(traffic.attacked, { ...playing, dayMs: this.#choice.dayMs }).then(() => true)
    // It is raced below; a look that fails ends the race.
    attacked.catch(() => undefined)
    for (let isPlayed = false; !isPlayed;) {
      await this.#show()
      isPlayed = await Promise.race([attacked, sleep(LOOK_EVERY_MS, false)])
    }
    await this.#allRun()
    await this.#show()
  }

  /** Resolves when the server has run and stored everything that it was given. */
  async #allRun(): Promise<void> {
    const endMs = performance.now() + RUN_DEADLINE_MS
    while (!(await this.#alerts.haveAllRun())) {
      if (this.#stage.stopping.signal.aborted) return
      if (performance.now() > endMs)
        throw new TrackError(
          'TRK_DEMO_FAILED',
          `the server did not run its reports in ${RUN_DEADLINE_MS / 1000} s`,
        )
      await sleep(LOOK_AGAIN_MS)
    }
  }

  async #show(): Promise<void> {
    const { traffic, terminal } = this.#stage
    const page = { columns: terminal?.columns, hasColours: terminal !== undefined }
    const news = (await this.#alerts.look()).filter(text.isShown)
    for (const seen of news) await this.#write(text.alertText(seen, traffic.startSeconds, page))
  }

  async #explain({ alert: { id } }: SeenAlert): Promise<void> {
    const path = `/command/alerts?id=${id}&explain=true`
    const { body } = await askServer(this.#stage.target, { path, timeoutMs: TIMEOUT_MS })
    const explained = readExplained(body)
    if (explained === undefined) return
    await this.#write(`\nWhy, for example:\n\n${explanationText(explained.alert, explained.raises)}\n`)
  }

  async #write(chunk: string): Promise<void> {
    const { output, stopping } = this.#stage
    // Nobody reads it any more, such as head, which has seen enough, or the disk is full.
    if (output.failure === undefined) await output.write(chunk)
    if (output.failure !== undefined) stopping.abort()
  }

  #seconds(): number {
    return (performance.now() - this.#beganMs) / 1000
  }

  /** Attacks of which a login was played. */
  #begun(): number {
    const { learning, attacked } = this.#stage.traffic
    const played = attacked.slice(0, Math.max(0, this.#sent - learning.length))
    return new Set(played.flatMap(({ attack }) => attack ?? [])).size
  }
}

/** The first that was right. */
function exampleOf(all: readonly SeenAlert[]): SeenAlert | undefined {
  return all.find((seen) => seen.truth.kind === 'attack' && text.isShown(seen))
}

function terminalOf(output: Surroundings['output']): Terminal | undefined {
  if (output.isTTY !== true) return undefined
  const columns = 'columns' in output ? output.columns : undefined
  return { columns: typeof columns === 'number' && columns >= LEAST_COLUMNS ? columns : undefined }
}
