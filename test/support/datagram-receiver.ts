/** A receiver of datagrams on a free port of 127.0.0.1, such as for syslog and SNMP, that remembers them all. */
import { createSocket } from 'node:dgram'
import type { TestContext } from 'node:test'
import { eventually } from './ask-server.ts'

export interface DatagramReceiver {
  readonly port: number
  /** HOST:PORT */
  readonly host: string
  readonly datagrams: readonly Buffer[]
  /** Resolves when so many have come. */
  readonly waitForCount: (count: number) => Promise<void>
}

export async function receiveDatagrams(t: TestContext): Promise<DatagramReceiver> {
  const socket = createSocket('udp4')
  const datagrams: Buffer[] = []
  socket.on('message', (datagram) => datagrams.push(datagram))
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  t.after(() => socket.close())
  const { port } = socket.address()
  return {
    port,
    host: `127.0.0.1:${port}`,
    datagrams,
    waitForCount: (count) => eventually(`${count} datagrams do not come`, () => datagrams.length >= count),
  }
}
