/** Whatever is sent as a report, the answer is a report stored or a reason, never an error of the server. */
import assert from 'node:assert/strict'
import { Agent, request } from 'node:http'
import { test } from 'node:test'
import fc from 'fast-check'
import { basicAuth, startHttp } from '../support/http-server-fixture.ts'

const FUZZ_SECONDS = Number(process.env['FUZZ_SECONDS'] ?? 3)
const names = [
  'login',
  'remote',
  'success',
  't',
  'pwhash',
  'tls',
  'attrs',
  'device_attrs',
  'records',
  'value',
  '__proto__',
]

const anyField = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.constantFrom('192.0.2.1', '::1', true, false, null, 1e308, [], {}),
)
const anyObject = fc
  .array(fc.tuple(fc.oneof(fc.constantFrom(...names), fc.string()), anyField), { maxLength: 12 })
  .map(
    (pairs) =>
      `{${pairs.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',')}}`,
  )
const almostReport = fc
  .tuple(fc.jsonValue(), fc.jsonValue(), fc.boolean())
  .map(([login, attrs, success]) => JSON.stringify({ login, remote: '::1', success, attrs: { a: attrs } }))
const anyText = fc.oneof(
  anyObject,
  almostReport,
  anyObject.map((text) => `{"records":[{"value":${text}}]}`),
)
/** JSON with one byte changed, cut or put in is more telling than noise. */
const damaged = fc
  .tuple(anyText, fc.nat(), fc.nat(255), fc.constantFrom(0, 1, 2))
  .map(([text, place, byte, cut]) => {
    const bytes = Buffer.from(text)
    const at = place % bytes.length
    return Buffer.concat([bytes.subarray(0, at), Buffer.from([byte]), bytes.subarray(at + cut)])
  })
const anyBody = fc.oneof(
  anyText.map((text) => Buffer.from(text)),
  damaged,
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
)

test('any bytes as a body are answered 200 or 400 with valid JSON', async (t) => {
  const fixture = await startHttp(t)
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.after(() => agent.destroy())
  const send = (path: string, body: Buffer): Promise<{ readonly status: number; readonly text: string }> =>
    new Promise((resolve, reject) => {
      const sent = request(
        new URL(path, fixture.url),
        { agent, method: 'POST', headers: { authorization: basicAuth() } },
        (response) => {
          let text = ''
          response.setEncoding('utf8')
          response.on('data', (chunk: string) => (text += chunk))
          response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
        },
      )
      sent.on('error', reject)
      sent.end(body)
    })
  await fc.assert(
    fc.asyncProperty(anyBody, fc.constantFrom('/command/report', '/command/custom'), async (body, path) => {
      const reportsBefore = fixture.reports.length
      const { status, text } = await send(path, body)
      assert.ok(status === 200 || status === 400, `${status} ${text}`)
      assert.equal(typeof JSON.parse(text), 'object')
      if (path === '/command/report') assert.equal(fixture.reports.length > reportsBefore, status === 200)
    }),
    { numRuns: 1_000_000, interruptAfterTimeLimit: FUZZ_SECONDS * 1_000, markInterruptAsFailure: false },
  )
  assert.deepEqual(fixture.internalErrors, [])
})
