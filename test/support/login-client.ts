/**
 * A client that reports logins as fast as a few connections allow and remembers what it sent and what was acknowledged,
 * whatever happens to the server meanwhile. The oracle of the crash tests.
 */
import { Agent, request } from 'node:http'
import { basicAuth } from './server-process.ts'

const REQUEST_DEADLINE_MS = 5_000

export class LoginClient {
  /** Session ids by login: everything that may have reached the server. */
  readonly sent = new Map<string, Set<string>>()
  /** What it answered 200 to. */
  readonly acknowledged = new Map<string, Set<string>>()
  readonly #users: number
  readonly #agent = new Agent({ keepAlive: true })
  #next = 0
  #isRunning = false
  #loops: Promise<void>[] = []

  /** @param users how many different logins to report */
  constructor(users: number) {
    this.#users = users
  }

  get acknowledgedCount(): number {
    return sizeOf(this.acknowledged)
  }

  get sentCount(): number {
    return sizeOf(this.sent)
  }

  /** Reports from some connections at once until `stop`. */
  start(url: string, connections: number): void {
    this.#isRunning = true
    this.#loops = Array.from({ length: connections }, () => this.#loop(url))
  }

  /** Resolves when the last request has been answered or given up. */
  async stop(): Promise<void> {
    this.#isRunning = false
    await Promise.all(this.#loops)
  }

  async #loop(url: string): Promise<void> {
    while (this.#isRunning) {
      const number = this.#next++
      const login = `user${number % this.#users}`
      const session = `s${number}`
      remember(this.sent, login, session)
      const status = await this.#post(url, { login, remote: '192.0.2.7', success: true, session_id: session })
      if (status === 200) remember(this.acknowledged, login, session)
      // The server is gone; its successor has another port.
      if (status === undefined) return
    }
  }

  /** The status, or undefined when the connection failed. */
  #post(url: string, report: object): Promise<number | undefined> {
    return new Promise((resolve) => {
      const posting = request(
        new URL('/command/report', url),
        { method: 'POST', agent: this.#agent, headers: { authorization: basicAuth() } },
        (response) => {
          response.resume()
          response.on('end', () => resolve(response.statusCode))
          response.on('error', () => resolve(undefined))
        },
      )
      posting.setTimeout(REQUEST_DEADLINE_MS, () => posting.destroy())
      posting.on('error', () => resolve(undefined))
      posting.end(JSON.stringify(report))
    })
  }
}

function remember(map: Map<string, Set<string>>, login: string, session: string): void {
  const sessions = map.get(login)
  if (sessions === undefined) map.set(login, new Set([session]))
  else sessions.add(session)
}

function sizeOf(map: ReadonlyMap<string, ReadonlySet<string>>): number {
  return [...map.values()].reduce((sum, sessions) => sum + sessions.size, 0)
}
