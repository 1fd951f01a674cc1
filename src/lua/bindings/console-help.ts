/**
 * help() and the names that the console's client completes, from the one table of functions. Lives on the configuration
 * thread.
 */
import type { HostFunction } from '../host-function.ts'

/** Functions of one topic, as help() shows them. */
export interface FunctionGroup {
  readonly title: string
  readonly functions: readonly HostFunction[]
}

interface HelpDeps {
  /** Asked when a command is run: help() is in the table itself. */
  readonly groups: () => readonly FunctionGroup[]
  /** Names of the Lua state's globals and of what is in global tables. */
  readonly globalNames: () => readonly string[]
}

export function consoleHelpFunctions({ groups, globalNames }: HelpDeps): readonly HostFunction[] {
  const all = (): readonly HostFunction[] => groups().flatMap(({ functions }) => functions)
  return [
    {
      name: 'help',
      usage: 'help(name)',
      summary: 'What a function does and how it is called; without a name, every function by topic.',
      scope: 'console',
      run(call) {
        const name = call.optionalString(1, 'name')
        if (name === undefined) return groups().map(groupText).join('\n')
        const found = functionsNamed(all(), name)
        return found.length > 0 ? found.map(helpText).join('\n') : call.fail(notFound(all(), name))
      },
    },
    {
      name: 'consoleNames',
      usage: 'consoleNames()',
      summary: "Every name that a line may begin with, one a line, for the client's completion.",
      scope: 'console',
      run() {
        const methods = all().filter(({ name }) => name.includes(':'))
        const names = new Set([...globalNames(), ...methods.map(({ name }) => name)])
        return [...names]
          .toSorted()
          .map((name) => `${name}\n`)
          .join('')
      },
    },
  ]
}

function groupText({ title, functions }: FunctionGroup): string {
  const lines = functions.map(({ usage, summary }) => `  ${usage}\n      ${summary}\n`)
  return `${title}\n${lines.join('')}`
}

/** By the whole name, or by that of a method without its type. */
function functionsNamed(functions: readonly HostFunction[], name: string): readonly HostFunction[] {
  const wanted = name.replace(/\(.*$/s, '').trim()
  return functions.filter((entry) => entry.name === wanted || entry.name.endsWith(`:${wanted}`))
}

function helpText({ usage, summary, scope, onConsole }: HostFunction): string {
  return `${usage}\n  ${summary}\n  ${WHERE[onConsole === undefined ? scope : 'anywhere']}\n`
}

const WHERE = {
  console: 'A command of the console.',
  configuration: 'For the configuration file.',
  registration: 'For the configuration file.',
  anywhere: 'For the configuration file, its functions, and the console.',
} as const satisfies Record<HostFunction['scope'], string>

function notFound(functions: readonly HostFunction[], name: string): string {
  const wanted = name.toLowerCase()
  const similar = functions.filter((entry) => entry.name.toLowerCase().includes(wanted))
  const hint =
    similar.length === 0 || wanted === ''
      ? 'help() lists all'
      : `there is ${similar.map((entry) => entry.name).join(', ')}`
  return `there is no function ${JSON.stringify(name)}; ${hint}`
}
