/**
 * Who uses which connections, so that they are closed when the last one lets go: lanes share a receiver, a replaced lane
 * lets its last tries end, a test may be under way. Main thread.
 */
interface Connections {
  close(): Promise<void>
}

export class ConnectionHolds {
  /** Bounded by the lanes in force and those that leave. */
  readonly #users = new Map<Connections, number>()

  hold(connections: Connections): void {
    this.#users.set(connections, (this.#users.get(connections) ?? 0) + 1)
  }

  /** To be called once for each `hold`; resolves when they are closed, or at once when others use them on. */
  async release(connections: Connections): Promise<void> {
    const left = (this.#users.get(connections) ?? 0) - 1
    if (left > 0) this.#users.set(connections, left)
    else if (this.#users.delete(connections)) await connections.close()
  }

  /** Whoever uses them. */
  async closeAll(): Promise<void> {
    const all = [...this.#users.keys()]
    this.#users.clear()
    await Promise.all(all.map((connections) => connections.close()))
  }
}
