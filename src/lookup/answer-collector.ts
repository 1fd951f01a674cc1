/**
 * Collects the answer to one request: status, headers and a body up to a size, until a time. Policy worker. A handler for
 * undici's `dispatch`; its `request` makes a stream, and takes a signal with listeners, for every answer.
 */
import { Buffer } from 'node:buffer'
import type { Dispatcher } from 'undici'
import { bytesToText } from '../login/byte-string.ts'
import { networkFailure } from '../outgoing/network-failure.ts'
import { failed, type HttpAnswer } from './http-answer.ts'

export interface AnswerLimits {
  /** For messages: without credentials, path and query. */
  readonly origin: string
  /** From now on until the last byte. */
  readonly timeoutMs: number
  readonly maxBodyBytes: number
}

type Headers = Readonly<Record<string, string | string[] | undefined>>

export class AnswerCollector implements Dispatcher.DispatchHandler {
  readonly #limits: AnswerLimits
  readonly #settle: (answer: HttpAnswer) => void
  readonly #timer: NodeJS.Timeout
  readonly #chunks: Uint8Array[] = []
  #sizeBytes = 0
  #status = 0
  #headers: Headers = {}
  /** Set once the request is being sent. */
  #controller: Dispatcher.DispatchController | undefined
  /** Why it was given up; nobody waits for it then. */
  #givenUp: Error | undefined

  /** @param settle - called once */
  constructor(limits: AnswerLimits, settle: (answer: HttpAnswer) => void) {
    this.#limits = limits
    this.#settle = settle
    this.#timer = setTimeout(
      () => this.#giveUp(new DOMException('the time is up', 'TimeoutError')),
      limits.timeoutMs,
    )
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    // It waited for a connection until its time was up.
    if (this.#givenUp !== undefined) controller.abort(this.#givenUp)
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: Headers): void {
    // 1xx: the answer is still to come.
    if (status < 200) return
    this.#status = status
    this.#headers = headers
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Uint8Array): void {
    const { origin, maxBodyBytes } = this.#limits
    this.#sizeBytes += chunk.length
    if (this.#sizeBytes <= maxBodyBytes) this.#chunks.push(chunk)
    else
      this.#giveUp(
        new Error('the answer is too long'),
        `the answer of ${origin} is longer than ${maxBodyBytes} bytes`,
      )
  }

  onResponseEnd(): void {
    if (this.#givenUp !== undefined) return
    clearTimeout(this.#timer)
    const [first, ...others] = this.#chunks
    const body =
      first === undefined ? '' : bytesToText(others.length === 0 ? first : Buffer.concat(this.#chunks))
    this.#settle({ ok: true, status: this.#status, body, headers: joined(this.#headers) })
  }

  onResponseError(_controller: unknown, error: Error): void {
    if (this.#givenUp === undefined) this.#giveUp(error)
  }

  #giveUp(error: Error, text = `${this.#limits.origin}: ${networkFailure(error).text}`): void {
    clearTimeout(this.#timer)
    this.#givenUp = error
    this.#settle(failed(text))
    this.#controller?.abort(error)
  }
}

function joined(headers: Headers): Readonly<Record<string, string>> {
  const entries: [string, string][] = []
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) entries.push([name, typeof value === 'string' ? value : value.join(', ')])
  }
  // fromEntries defines keys, so that a header named __proto__ is one like any other.
  return Object.fromEntries(entries)
}
