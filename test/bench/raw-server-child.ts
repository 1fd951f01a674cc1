/**
 * The yardstick: what Node's own HTTP server does on one thread when it reads JSON and answers JSON. With a number as its
 * argument it waits so many milliseconds before it answers, as another system that a policy asks.
 */
import { createServer, type ServerResponse } from 'node:http'

const ANSWER = '{"status":"ok"}'
const waitMs = Number(process.argv[2] ?? 0)

function answer(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': ANSWER.length })
  response.end(ANSWER)
}

const server = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    if (chunks.length > 0) JSON.parse(Buffer.concat(chunks).toString())
    if (waitMs === 0) answer(response)
    else setTimeout(() => answer(response), waitMs)
  })
})

server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (typeof address === 'object' && address !== null) process.send?.(`http://127.0.0.1:${address.port}`)
})
process.on('disconnect', () => server.close(() => undefined).closeAllConnections())
