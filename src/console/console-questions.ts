/**
 * What lines of the console ask the main thread, and its answers. Types; console/answer-question.ts answers. The asking
 * side is policy/question-channel.ts, on the configuration thread.
 */
import type { StoreAnswer, StoreQuestion } from '../policy/store-questions.ts'

export type ConsoleQuestion = StoreQuestion

export type ConsoleAnswer = StoreAnswer
