/**
 * The load client, a process of its own: sends what the bench orders and says how it went.
 */
import { LoadConnection } from './load-connection.ts'
import type { LoadOrder, LoadResult } from './load-messages.ts'
import { percentiles } from './percentiles.ts'
import { requestTexts } from './request-texts.ts'
import { SimulatedBodies } from './simulated-bodies.ts'

/** Requests that are due are looked for this often. */
const TICK_MS = 1

class LoadRun {
  readonly #order: LoadOrder
  readonly #texts: readonly Buffer[]
  readonly #latencies: Float64Array
  readonly #idle: LoadConnection[] = []
  readonly #done = Promise.withResolvers<void>()
  #sent = 0
  #answered = 0
  #failures = 0

  constructor(order: LoadOrder, simulated: SimulatedBodies) {
    this.#order = order
    this.#texts = requestTexts(order, simulated)
    this.#latencies = new Float64Array(order.requests)
  }

  async run(): Promise<LoadResult> {
    const { url, connections, requestsPerSecond } = this.#order
    const handler = {
      onAnswer: (connection: LoadConnection, status: number) => this.#onAnswer(connection, status),
      onEnd: (error: Error) => this.#done.reject(error),
    }
    const all = Array.from({ length: connections }, () => new LoadConnection(url, handler))
    await Promise.all(all.map((connection) => connection.opened()))
    const startedAtMs = nowMs()
    if (requestsPerSecond === undefined) for (const connection of all) this.#send(connection, nowMs())
    else this.#sendEvenly(all, requestsPerSecond)
    await this.#done.promise
    const endedAtMs = nowMs()
    for (const connection of all) connection.close()
    return { startedAtMs, endedAtMs, failures: this.#failures, latency: percentiles(this.#latencies) }
  }

  #send(connection: LoadConnection, dueAtMs: number): void {
    if (this.#sent >= this.#order.requests) return
    connection.dueAtMs = dueAtMs
    connection.send(this.#texts[this.#sent % this.#texts.length] ?? Buffer.alloc(0))
    this.#sent++
  }

  /** A request whose time has come while all connections are busy waits, and its latency counts from when it was due. */
  #sendEvenly(all: readonly LoadConnection[], perSecond: number): void {
    this.#idle.push(...all)
    const startMs = nowMs()
    const timer = setInterval(() => {
      const due = Math.min(this.#order.requests, ((nowMs() - startMs) * perSecond) / 1000)
      while (this.#sent < due) {
        const connection = this.#idle.pop()
        if (connection === undefined) return
        this.#send(connection, startMs + (this.#sent * 1000) / perSecond)
      }
      if (this.#sent === this.#order.requests) clearInterval(timer)
    }, TICK_MS)
  }

  #onAnswer(connection: LoadConnection, status: number): void {
    const now = nowMs()
    this.#latencies[this.#answered] = now - connection.dueAtMs
    this.#answered++
    if (status !== 200) this.#failures++
    if (this.#answered === this.#order.requests) this.#done.resolve()
    else if (this.#order.requestsPerSecond === undefined) this.#send(connection, now)
    else this.#idle.push(connection)
  }
}

function nowMs(): number {
  return performance.timeOrigin + performance.now()
}

const simulated = new SimulatedBodies()
process.on('message', (order: LoadOrder) => {
  new LoadRun(order, simulated).run().then(
    (result) => process.send?.(result),
    (error: unknown) => {
      process.stderr.write(`the load client failed: ${String(error)}\n`)
      process.exitCode = 1
      process.disconnect()
    },
  )
})
