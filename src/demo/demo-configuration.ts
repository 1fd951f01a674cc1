/**
 * The configuration that the demo runs: a copy of the shipped one in a folder of its own, behind a line that keeps it on
 * this machine. Main thread of the command.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'

export interface DemoFolder {
  readonly configFile: string
  readonly stateDirectory: string
  /** There once the configuration has run. */
  readonly passwordFile: string
  readonly remove: () => void
}

const PASSWORD_NAME = 'webserver-password'
/**
 * What somebody may have put into the file would open other doors or tell others of logins that never were. Without a
 * line end, so that lines of messages are those of the file.
 */
const SILENT = [
  'addListener', 'webserver', 'controlSocket', 'setWebserverPassword', 'setACL', 'addACL', 'setStateDirectory',
  'addAlertSink', 'addAlertRoute', 'addCustomWebHook', 'runCustomWebHook',
] as const // prettier-ignore
const PRELUDE =
  `addListener("127.0.0.1:0", false, "", "", {}) setACL({ "127.0.0.0/8" }) ` +
  `setWebserverPassword(secret("${PASSWORD_NAME}")) ` +
  `for _, name in ipairs { ${SILENT.map((name) => `"${name}"`).join(', ')} } do _G[name] = function() end end ` +
  `http.request = function() return nil, "a demo asks no other system" end `

/** @param shipped - absolute path of the configuration that comes with the program */
export function makeDemoFolder(shipped: string): DemoFolder {
  const folder = mkdtempSync(join(tmpdir(), 'trackalert-demo-'))
  const source = dirname(shipped)
  // Of a server that has run with it.
  const state = join(source, 'state')
  cpSync(source, folder, { recursive: true, filter: (path) => path !== state })
  const configFile = join(folder, basename(shipped))
  writeFileSync(configFile, PRELUDE + readFileSync(shipped, 'utf8'))
  const stateDirectory = join(folder, 'state')
  return {
    configFile,
    stateDirectory,
    passwordFile: join(stateDirectory, 'secrets', PASSWORD_NAME),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}
