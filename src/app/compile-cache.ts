/**
 * Compiled code that Node keeps from start to start: a third of the processor time that a start takes. Main thread, before
 * the parts of the server are loaded.
 *
 * It is kept in the state directory and nowhere else: whoever can write there could do as they like with the server anyway,
 * which is not so of a folder for temporary files.
 */
import { statSync } from 'node:fs'
import { enableCompileCache } from 'node:module'
import { dirname, join } from 'node:path'

const FOLDER = 'compile-cache'
/** Where the state directory is unless something else is said; see stateDirectoryPath. */
const DEFAULT_STATE_FOLDER = 'state'
const OTHERS = 0o077
/** Node's own variable, which threads look at when they start. */
const VARIABLE = 'NODE_COMPILE_CACHE'

interface CompileCacheSetup {
  readonly configFile: string
  readonly stateDirectoryFromEnvironment: string | undefined
  /** The process's own, not a copy: the server's threads take over what is set there. */
  readonly environment: NodeJS.ProcessEnv
}

/**
 * Has Node keep compiled code, if there is a state directory already that is nobody else's. The configuration may name
 * another one, which is not known yet: then nothing is kept, unless the operator has set Node's variable.
 */
export function keepCompiledCode(setup: CompileCacheSetup): void {
  const { environment, configFile, stateDirectoryFromEnvironment } = setup
  const state = stateDirectoryFromEnvironment ?? join(dirname(configFile), DEFAULT_STATE_FOLDER)
  if (environment[VARIABLE] !== undefined || !isPrivate(state)) return
  const folder = join(state, FOLDER)
  environment[VARIABLE] = folder
  enableCompileCache(folder)
}

function isPrivate(directory: string): boolean {
  const found = statSync(directory, { throwIfNoEntry: false })
  return found?.isDirectory() === true && (found.mode & OTHERS) === 0
}
