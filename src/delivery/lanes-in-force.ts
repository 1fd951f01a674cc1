/**
 * The lanes that the configuration in force has, and those before them whose last tries have not ended. Main thread.
 *
 * A lane that is replaced claims nothing more. Its tries end where they began; what failed then is put back and is the new
 * lane's, which is woken for it. Nobody waits for that: the new lane sends from the first moment on.
 */
import { ConnectionHolds } from './connection-holds.ts'
import type { Outlet, Outlets } from './outlet.ts'

export class LanesInForce {
  readonly #onRest: () => void
  readonly #holds = new ConnectionHolds()
  readonly #leaving = new Set<Promise<void>>()
  #outlets: Outlets

  /** @param onRest - the last of the replaced lanes has come to its end */
  constructor(outlets: Outlets, onRest: () => void) {
    this.#outlets = outlets
    this.#onRest = onRest
    for (const { connections } of outlets.values()) this.#holds.hold(connections)
  }

  get outlets(): Outlets {
    return this.#outlets
  }

  wake(): void {
    for (const { lane } of this.#outlets.values()) lane.wake()
  }

  /** Goes by these from now on. */
  replace(next: Outlets): void {
    const before = this.#outlets
    this.#outlets = next
    // First of all: what the new ones share with those that leave must not be closed in between.
    for (const [queue, outlet] of next) if (before.get(queue) !== outlet) this.#holds.hold(outlet.connections)
    for (const [queue, outlet] of before) {
      if (next.get(queue) === outlet) continue
      const left = this.#leave(queue, outlet)
      this.#leaving.add(left)
      void left.finally(() => {
        this.#leaving.delete(left)
        this.#onRest()
      })
    }
    this.wake()
  }

  /** Lets `use` end before the connections of this outlet are closed. */
  async whileHeld<T>({ connections }: Outlet, use: () => Promise<T>): Promise<T> {
    this.#holds.hold(connections)
    try {
      return await use()
    } finally {
      await this.#holds.release(connections)
    }
  }

  /** True when nothing is under way and nothing will be due by then. */
  restsUntil(atMs: number): boolean {
    return this.#leaving.size === 0 && [...this.#outlets.values()].every(({ lane }) => lane.restsUntil(atMs))
  }

  /** Ends the tries under way, also those of replaced lanes, and closes every connection. */
  async close(): Promise<void> {
    const lanes = Array.from(this.#outlets.values(), ({ lane }) => lane)
    for (const lane of lanes) lane.close()
    await this.#holds.closeAll()
    await Promise.all([...lanes.map((lane) => lane.settled()), ...this.#leaving])
  }

  async #leave(queue: string, { lane, connections }: Outlet): Promise<void> {
    lane.close()
    await lane.settled()
    this.#outlets.get(queue)?.lane.wake()
    await this.#holds.release(connections)
  }
}
