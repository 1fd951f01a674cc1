/**
 * What main.ts hands to the commands of the program: the process, as far as they may use it.
 */
import type { Readable, Writable } from 'node:stream'

/** True: the stream is a terminal. */
interface Tty {
  readonly isTTY?: boolean
}

export interface Surroundings {
  readonly version: string
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly input: Readable & Tty
  readonly output: Writable & Tty
  /** Standard output is the journal of systemd. */
  readonly outputIsJournal: boolean
  readonly errors: Writable & Tty
  /** Makes the folder of a file the working directory: names of files in a configuration are relative to it. */
  readonly enterFolder: (file: string) => void
}
