/**
 * What main.ts hands to the commands of the program: the process, as far as they may use it.
 */
import type { ReadStream, WriteStream } from 'node:tty'

export interface Surroundings {
  readonly version: string
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly input: NodeJS.ReadableStream & Pick<ReadStream, 'isTTY'>
  readonly output: NodeJS.WritableStream & Pick<WriteStream, 'isTTY'>
  readonly errors: NodeJS.WritableStream
  /** Names of files in a configuration are relative to its own folder. */
  readonly enterFolder: (path: string) => void
}
