/**
 * systemd's end of sd_notify: a datagram socket of the Unix domain, received by a few lines of Python, since Node has none,
 * and the real systemd-notify to send to it.
 */
import { execFileSync, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { TestContext } from 'node:test'

/** Prints each message as one line of JSON. Descriptors that come along are closed, which is what a sender waits for. */
const RECEIVER = `
import json, os, socket, sys
receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
receiver.bind(sys.argv[1])
print(json.dumps("bound"), flush=True)
while True:
    data, descriptors, _, _ = socket.recv_fds(receiver, 4096, 8)
    for descriptor in descriptors:
        os.close(descriptor)
    print(json.dumps(data.decode()), flush=True)
`
const DEADLINE_MS = 15_000

export interface NotifySocket {
  readonly path: string
  readonly messages: readonly string[]
  /** Waits until a message arrives or has arrived, counted from the first. */
  readonly until: (isThere: (messages: readonly string[]) => boolean) => Promise<void>
}

/** Why there can be none here; undefined if there can. */
export function noNotifySocketBecause(): string | undefined {
  for (const [program, ...words] of [
    ['python3', '-c', 'import socket; socket.recv_fds'],
    ['systemd-notify', '--version'],
  ] as const) {
    try {
      execFileSync(program, words, { stdio: 'ignore' })
    } catch {
      return `this machine has no ${program}`
    }
  }
  return undefined
}

export async function openNotifySocket(t: TestContext): Promise<NotifySocket> {
  const folder = await mkdtemp(join(tmpdir(), 'trackalert-notify-'))
  const path = join(folder, 'socket')
  const child = spawn('python3', ['-c', RECEIVER, path], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(async () => {
    child.kill('SIGKILL')
    await rm(folder, { recursive: true, force: true })
  })
  const messages: string[] = []
  const watchers = new Set<() => void>()
  let isBound = false
  createInterface({ input: child.stdout }).on('line', (line) => {
    const message = String(JSON.parse(line))
    if (isBound) messages.push(message)
    isBound = true
    for (const watch of watchers) watch()
  })
  const wait = (isThere: () => boolean): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (!isThere()) return
        watchers.delete(look)
        clearTimeout(timer)
        resolve()
      }
      const timer = setTimeout(
        () => reject(new Error(`not in time; so far: ${messages.join(' | ')}`)),
        DEADLINE_MS,
      )
      watchers.add(look)
      look()
    })
  await wait(() => isBound)
  return { path, messages, until: (isThere) => wait(() => isThere(messages)) }
}
