/**
 * Any server on a free port of the loopback address, gone when the test ends.
 */
import type { Server, Socket } from 'node:net'
import type { TestContext } from 'node:test'

/** @returns the port. */
export async function listenLocal(t: TestContext, server: Server): Promise<number> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    // Clients of these tests break connections on purpose.
    socket.on('error', () => undefined)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}
