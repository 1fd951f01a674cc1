/** A client of a server's console: lines over the control socket, with the tests' own side of the protocol. */
import { randomBytes } from 'node:crypto'
import type { TestContext } from 'node:test'
import { connectPeer } from './control-peer.ts'
import type { ServerProcess } from './server-process.ts'

export const CONTROL_KEY = randomBytes(32)

/** Lines of a configuration that open the control socket on a free port. */
export const CONTROL_CONFIGURATION = `
controlSocket("127.0.0.1:0")
setKey(${JSON.stringify(CONTROL_KEY.toString('base64'))})
`

export type Ask = (line: string) => Promise<string>

/** A connection of its own; it is closed when the test ends. */
export async function connectConsole(t: TestContext, server: ServerProcess): Promise<Ask> {
  const [, port] = await server.waitFor(/the control socket is open: host="127.0.0.1" port="(\d+)"/)
  const peer = await connectPeer(t, Number(port), CONTROL_KEY)
  return (line) => peer.ask(line)
}
