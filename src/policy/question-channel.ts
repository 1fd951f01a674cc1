/**
 * The asking side of store questions: gives each a number and settles its promise when the main thread has answered. Lives
 * on a policy worker; bounded by the runs in flight, each of which waits for one answer.
 */
import { TrackError } from '../errors.ts'
import type { StoreAnswer, StoreQuestion } from './store-questions.ts'

export class QuestionChannel {
  readonly #send: (id: number, question: StoreQuestion) => void
  readonly #waiting = new Map<number, (answer: StoreAnswer) => void>()
  #nextId = 1

  constructor(send: (id: number, question: StoreQuestion) => void) {
    this.#send = send
  }

  /** Rejects with a TrackError when the store could not answer. */
  async ask(question: StoreQuestion): Promise<StoreAnswer> {
    const id = this.#nextId++
    const answer = await new Promise<StoreAnswer>((resolve) => {
      this.#waiting.set(id, resolve)
      this.#send(id, question)
    })
    if (answer.kind === 'failed') throw new TrackError('TRK_STORE_FAILED', answer.message)
    return answer
  }

  /** The main thread has answered. */
  settle(id: number, answer: StoreAnswer): void {
    this.#waiting.get(id)?.(answer)
    this.#waiting.delete(id)
  }
}
