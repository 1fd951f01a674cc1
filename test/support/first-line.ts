/**
 * What the program's first line says, which the kernel reads when the program is started by its name: how operators start it, and
 * not how tests do, which name the Node to run it with.
 */
import { readFileSync } from 'node:fs'
import { MAIN } from './program.ts'

export interface FirstLine {
  /** What the kernel runs, with the program's path and words behind it. */
  readonly command: readonly [interpreter: string, argument: string]
  readonly environment: Readonly<Record<string, string>>
  readonly nodeOptions: readonly string[]
}

/** @throws Error when it is not of this form. */
export function firstLine(): FirstLine {
  const [line = ''] = readFileSync(MAIN, 'utf8').split('\n', 1)
  const match = /^#!(\/usr\/bin\/env) (-S((?: \w+=\S+)*) node((?: \S+)*))$/.exec(line)
  if (match === null) throw new Error(`the first line of ${MAIN} is not understood: ${line}`)
  const [, interpreter = '', argument = '', variables = '', options = ''] = match
  const words = (text: string): readonly string[] => text.split(' ').filter((word) => word !== '')
  return {
    command: [interpreter, argument],
    environment: Object.fromEntries(words(variables).map(assignment)),
    nodeOptions: words(options),
  }
}

function assignment(text: string): readonly [name: string, value: string] {
  const at = text.indexOf('=')
  return [text.slice(0, at), text.slice(at + 1)]
}
