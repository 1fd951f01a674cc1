/**
 * Ends one thread of a running server from outside, at any moment of its work, through the debugger that every Node process
 * can open: the server has no door for this. It must have been started with `DEBUGGER_ENV`.
 */
import type { ServerProcess } from './server-process.ts'

/** Lets Node listen for a debugger on a free port of 127.0.0.1. */
export const DEBUGGER_ENV = { NODE_OPTIONS: '--inspect=127.0.0.1:0' } as const

const DEADLINE_MS = 10_000
const THREAD_FILES = {
  store: /\/store-thread\.ts$/,
  policy: /\/policy\/worker-thread\.ts$/,
} as const

/** Messages of the NodeWorker domain of the inspector's protocol. */
type InspectorMessage =
  | {
      readonly method: 'NodeWorker.attachedToWorker'
      readonly params: { readonly sessionId: string; readonly workerInfo: { readonly url: string } }
    }
  | { readonly method: 'NodeWorker.detachedFromWorker'; readonly params: { readonly sessionId: string } }
  | { readonly method: undefined }

/** Resolves when the thread has ended. */
export async function killThread(server: ServerProcess, thread: keyof typeof THREAD_FILES): Promise<void> {
  const [, url = ''] = await server.waitFor(/Debugger listening on (ws:\S+)/)
  const socket = new WebSocket(url)
  const send = (method: string, params: object): void =>
    socket.send(JSON.stringify({ id: 1, method, params }))
  try {
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`the ${thread} thread does not end`)), DEADLINE_MS)
      let victim: string | undefined
      socket.addEventListener('error', () => reject(new Error(`no debugger answers at ${url}`)))
      socket.addEventListener('open', () => send('NodeWorker.enable', { waitForDebuggerOnStart: false }))
      socket.addEventListener('message', ({ data }) => {
        const message = JSON.parse(String(data)) as InspectorMessage
        if (message.method === 'NodeWorker.attachedToWorker') {
          const { sessionId, workerInfo } = message.params
          if (victim !== undefined || !THREAD_FILES[thread].test(workerInfo.url)) return
          victim = sessionId
          const evaluate = { id: 1, method: 'Runtime.evaluate', params: { expression: 'process.exit(9)' } }
          send('NodeWorker.sendMessageToWorker', { sessionId, message: JSON.stringify(evaluate) })
        } else if (
          message.method === 'NodeWorker.detachedFromWorker' &&
          message.params.sessionId === victim
        ) {
          clearTimeout(timer)
          resolve()
        }
      })
    })
  } finally {
    socket.close()
  }
}
