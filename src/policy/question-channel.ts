/**
 * The asking side of questions to the main thread: gives each a number and settles its promise when the main thread has answered. Lives
 * on a policy worker, or on the configuration thread for lines of the console; bounded by the runs in flight, each of which
 * waits for one answer.
 */
import { TrackError, type ErrorCode } from '../errors.ts'

export class QuestionChannel<Question, Answer extends { readonly kind: string }> {
  readonly #send: (id: number, question: Question) => void
  readonly #waiting = new Map<number, (answer: Answer) => void>()
  #nextId = 1

  readonly #code: ErrorCode

  /** @param code - of the error when there is no answer */
  constructor(send: (id: number, question: Question) => void, code: ErrorCode = 'TRK_STORE_FAILED') {
    this.#send = send
    this.#code = code
  }

  /** Rejects with a TrackError when the main thread could not answer. */
  async ask(question: Question): Promise<Answer> {
    const id = this.#nextId++
    const answer = await new Promise<Answer>((resolve) => {
      this.#waiting.set(id, resolve)
      this.#send(id, question)
    })
    if (isFailure(answer)) throw new TrackError(this.#code, answer.message)
    return answer
  }

  /** The main thread has answered. */
  settle(id: number, answer: Answer): void {
    this.#waiting.get(id)?.(answer)
    this.#waiting.delete(id)
  }
}

interface Failure {
  readonly kind: 'failed'
  readonly message: string
}

function isFailure(answer: { readonly kind: string }): answer is Failure {
  return answer.kind === 'failed'
}
