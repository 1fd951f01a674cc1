/**
 * The syslog of a machine: a datagram socket of the Unix domain, received by a few lines of Python, since Node has none, and a
 * program `logger` in a folder for PATH that is the real one, told to send there instead of to /dev/log.
 */
import { execFileSync, spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { createInterface } from 'node:readline'
import type { TestContext } from 'node:test'

/** Prints each message as one line of JSON. */
const RECEIVER = `
import json, socket, sys
receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
receiver.bind(sys.argv[1])
print(json.dumps("bound"), flush=True)
while True:
    print(json.dumps(receiver.recv(65536).decode()), flush=True)
`
const DEADLINE_MS = 15_000

export interface SyslogSocket {
  /** PATH for a server whose `logger` sends here. */
  readonly path: string
  /** What arrived, each with `<priority>` in front. */
  readonly messages: readonly string[]
  /** The first message that fits, waiting for it. */
  readonly waitFor: (pattern: RegExp) => Promise<string>
}

/** Why there can be none here; undefined if there can. */
export function noSyslogSocketBecause(): string | undefined {
  try {
    execFileSync('python3', ['-c', 'import socket'], { stdio: 'ignore' })
  } catch {
    return 'this machine has no python3'
  }
  try {
    const help = execFileSync('logger', ['--help'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
    if (help.includes('--prio-prefix')) return undefined
  } catch {
    // As when it is another one.
  }
  return 'this machine has no logger of util-linux'
}

/** A folder with the real `logger`, sending to the socket `socket` in it, which nobody has opened yet. */
export async function syslogFolder(t: TestContext): Promise<{ folder: string; path: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'trackalert-syslog-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const real = execFileSync('/bin/sh', ['-c', 'command -v logger'], { encoding: 'utf8' }).trim()
  const script = `#!/bin/sh\nexec '${real}' --socket '${join(folder, 'socket')}' "$@"\n`
  await writeFile(join(folder, 'logger'), script, { mode: 0o755 })
  return { folder, path: `${folder}${delimiter}${process.env['PATH'] ?? ''}` }
}

export async function openSyslogSocket(t: TestContext): Promise<SyslogSocket> {
  const { folder, path } = await syslogFolder(t)
  const child = spawn('python3', ['-c', RECEIVER, join(folder, 'socket')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.after(() => child.kill('SIGKILL'))
  const messages: string[] = []
  const watchers = new Set<() => void>()
  createInterface({ input: child.stdout }).on('line', (line) => {
    messages.push(String(JSON.parse(line)))
    for (const watch of watchers) watch()
  })
  const waitFor = (pattern: RegExp): Promise<string> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const message = messages.find((text) => pattern.test(text))
        if (message === undefined) return
        clearTimeout(timer)
        watchers.delete(look)
        resolve(message)
      }
      const timer = setTimeout(() => {
        reject(new Error(`syslog did not get ${String(pattern)}; it got:\n${messages.join('\n')}`))
      }, DEADLINE_MS)
      watchers.add(look)
      look()
    })
  await waitFor(/^bound$/)
  return { path, messages, waitFor }
}
