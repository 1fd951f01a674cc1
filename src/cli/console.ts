/**
 * The console on a terminal: a prompt, history, completion, Lua over several lines. Lives on the main thread of the client,
 * or of a server that was started with a console.
 *
 * A line goes to the runner at once. When the answer says that the chunk goes on, the line is kept and the next one is
 * sent together with it, under another prompt, until the chunk is whole or wrong.
 */
import { clearScreenDown, createInterface, cursorTo, type Interface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { messageOf } from '../errors.ts'
import { goesOn, isFailure } from './chunk.ts'
import type { CommandRunner } from './command-runner.ts'
import { complete, type Completion } from './completion.ts'
import { isKept, MAX_HISTORY, type HistoryFile } from './history-file.ts'

const PROMPT = '> '
const PROMPT_MORE = '>> '
/** Lines that were pasted while a command ran; what is beyond is dropped. */
const MAX_WAITING_LINES = 1000
const NAMES_COMMAND = 'consoleNames()'

type CompleterCallback = (error: null, result: Completion) => void

interface ConsoleDeps {
  readonly input: Readable
  readonly output: Writable
  readonly runner: CommandRunner
  readonly history: HistoryFile
  /** Errors in red. */
  readonly hasColours: boolean
}

export class Console {
  readonly #deps: ConsoleDeps
  readonly #readline: Interface
  readonly #left = Promise.withResolvers<void>()
  /** Lines of a chunk that goes on. */
  #chunk: string[] = []
  readonly #waiting: string[] = []
  #isBusy = false
  #hasEnded = false
  /** Until the next command, which may define more. */
  #names: readonly string[] | undefined

  constructor(deps: ConsoleDeps) {
    this.#deps = deps
    const { input, output, history } = deps
    this.#readline = createInterface({
      input,
      output,
      terminal: true,
      prompt: PROMPT,
      history: [...history.load()],
      historySize: MAX_HISTORY,
      removeHistoryDuplicates: true,
      completer: (line: string, callback: CompleterCallback) => void this.#offer(line, callback),
    })
    // The list is readline's own: what is taken out here is not remembered.
    this.#readline.on('history', (lines: string[]) => {
      const [newest] = lines
      if (newest !== undefined && !isKept(newest)) lines.shift()
    })
    this.#readline.on('line', (line) => this.#take(line))
    this.#readline.on('SIGINT', () => this.#interrupt())
    this.#readline.on('close', () => this.#end())
    this.#readline.prompt()
  }

  /** Resolves when the user has left. */
  get left(): Promise<void> {
    return this.#left.promise
  }

  /** Writes something that is no answer, such as a line of the log, without disturbing what is being typed. */
  print(text: string): void {
    const { output } = this.#deps
    cursorTo(output, 0)
    clearScreenDown(output)
    output.write(text)
    if (!this.#hasEnded && !this.#isBusy) this.#readline.prompt(true)
  }

  close(): void {
    this.#readline.close()
  }

  #take(line: string): void {
    this.#deps.history.add(line)
    if (this.#waiting.length < MAX_WAITING_LINES) this.#waiting.push(line)
    if (!this.#isBusy) void this.#runWaiting()
  }

  async #runWaiting(): Promise<void> {
    this.#isBusy = true
    for (let line = this.#waiting.shift(); line !== undefined; line = this.#waiting.shift()) {
      if (this.#hasEnded) return
      if (this.#chunk.length === 0 && line.trim() === 'quit') {
        this.close()
        return
      }
      await this.#run(line)
    }
    this.#isBusy = false
    this.#prompt()
  }

  async #run(line: string): Promise<void> {
    if (this.#chunk.length === 0 && line.trim() === '') return
    this.#chunk.push(line)
    this.#names = undefined
    let reply: string
    try {
      reply = await this.#deps.runner.run(this.#chunk.join('\n'))
    } catch (error) {
      this.#chunk = []
      this.#write(`${this.#red(messageOf(error))}\n`)
      return
    }
    // Ctrl-C may have dropped the chunk meanwhile.
    if (goesOn(reply) && this.#chunk.length > 0) return
    this.#chunk = []
    this.#write(`${isFailure(reply) ? this.#red(reply) : reply}\n`)
  }

  #interrupt(): void {
    const { output, runner } = this.#deps
    if (this.#isBusy) {
      this.#waiting.length = 0
      output.write('^C\n')
      runner.interrupt()
      return
    }
    if (this.#readline.line === '' && this.#chunk.length === 0) {
      output.write('\nTo leave, type quit or press Ctrl-D.\n')
    } else {
      // The dropped line stays to be seen, with its mark.
      this.#readline.write(null, { ctrl: true, name: 'e' })
      output.write('^C\n')
      this.#readline.write(null, { ctrl: true, name: 'u' })
      cursorTo(output, 0)
      clearScreenDown(output)
      this.#chunk = []
    }
    this.#prompt()
  }

  async #offer(line: string, callback: CompleterCallback): Promise<void> {
    callback(null, await this.#complete(line))
  }

  async #complete(line: string): Promise<Completion> {
    if (this.#isBusy) return [[], line]
    try {
      if (this.#names === undefined) {
        const reply = await this.#deps.runner.run(NAMES_COMMAND)
        this.#names = isFailure(reply) ? [] : reply.split('\n').filter((name) => name !== '')
      }
    } catch {
      // The next command will say what is wrong with the connection.
      return [[], line]
    }
    return complete(line, this.#names)
  }

  #prompt(): void {
    if (this.#hasEnded) return
    this.#readline.setPrompt(this.#chunk.length === 0 ? PROMPT : PROMPT_MORE)
    this.#readline.prompt()
  }

  #write(text: string): void {
    if (!this.#hasEnded) this.#deps.output.write(text)
  }

  #red(text: string): string {
    return this.#deps.hasColours ? `\u001B[31m${text}\u001B[39m` : text
  }

  #end(): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    // Ctrl-D leaves the cursor behind the prompt.
    if (!this.#isBusy) this.#deps.output.write('\n')
    this.#left.resolve()
  }
}
