/**
 * The asking side of store questions: gives each a number and settles its promise when the main thread has answered. Lives
 * on a policy worker, or on the configuration thread for lines of the console; bounded by the runs in flight, each of which
 * waits for one answer.
 */
import { TrackError } from '../errors.ts'
import type { StoreAnswer } from './store-questions.ts'

/** @template Question what this thread may ask; what the answers may be is `Answer`. */
export class QuestionChannel<Question, Answer extends { readonly kind: string }> {
  readonly #send: (id: number, question: Question) => void
  readonly #waiting = new Map<number, (answer: Answer) => void>()
  #nextId = 1

  constructor(send: (id: number, question: Question) => void) {
    this.#send = send
  }

  /** Rejects with a TrackError when the store could not answer. */
  async ask(question: Question): Promise<Answer> {
    const id = this.#nextId++
    const answer = await new Promise<Answer>((resolve) => {
      this.#waiting.set(id, resolve)
      this.#send(id, question)
    })
    if (isFailure(answer)) throw new TrackError('TRK_STORE_FAILED', answer.message)
    return answer
  }

  /** The main thread has answered. */
  settle(id: number, answer: Answer): void {
    this.#waiting.get(id)?.(answer)
    this.#waiting.delete(id)
  }
}

function isFailure(answer: { readonly kind: string }): answer is Extract<StoreAnswer, { kind: 'failed' }> {
  return answer.kind === 'failed'
}
