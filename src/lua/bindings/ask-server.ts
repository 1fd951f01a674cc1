/**
 * How commands of the console ask the main thread about the server. Lives on the configuration thread.
 */
import type { ServerAnswer, ServerQuestion } from '../../console/console-questions.ts'
import { TrackError } from '../../errors.ts'

export type AskServer = (question: ServerQuestion) => Promise<ServerAnswer>

type Kind = ServerQuestion['kind']
type AnswerTo<K extends Kind> = Extract<ServerAnswer, { readonly kind: K }>

/**
 * The answer to a question.
 *
 * @throws TrackError TRK_CONSOLE_FAILED when there is none.
 */
export async function askServer<K extends Kind>(
  ask: AskServer,
  question: Extract<ServerQuestion, { readonly kind: K }>,
): Promise<AnswerTo<K>> {
  const answer = await ask(question)
  if (isAnswerTo(answer, question.kind)) return answer
  throw new TrackError('TRK_CONSOLE_FAILED', `${question.kind} was answered with ${answer.kind}`)
}

function isAnswerTo<K extends Kind>(answer: ServerAnswer, kind: K): answer is AnswerTo<K> {
  return answer.kind === kind
}
