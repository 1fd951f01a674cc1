/** The console of a busy server: it answers, it loses nothing, and nothing that is written on it stops anything else. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { connectConsole, CONTROL_CONFIGURATION } from '../support/console-client.ts'
import { BASE_CONFIGURATION, startServer, type ServerProcess } from '../support/server-process.ts'

const POLICY = `
setNumReportThreads(2)
newStringStatsDB("logins", 3600, 2, { count = "int" })
setReport(function(lt) getStringStatsDB("logins"):twAdd("all", "count", 1) end)
`
const COMMANDS = 1000
const CLIENTS = 4
/** What a thousand commands are made of. */
const LINES = [
  'stats()',
  'showPerfStats()',
  'counter = (counter or 0) + 1',
  'getReports{ limit = 1 }',
  'showWorkers()',
]

/** Sends reports, so many at once, until it is told to stop; answers how many were acknowledged. */
async function load(server: ServerProcess, isOver: () => boolean): Promise<number> {
  let acknowledged = 0
  const sender = async (index: number): Promise<void> => {
    for (let count = 0; !isOver(); count++) {
      const report = { login: `u${index}-${count % 50}`, remote: '192.0.2.1', success: true }
      const response = await server.post('/command/report', report)
      await response.arrayBuffer()
      if (response.status === 200) acknowledged++
    }
  }
  await Promise.all(Array.from({ length: 16 }, (_, index) => sender(index)))
  return acknowledged
}

describe('the console under load', () => {
  test('answers a thousand commands of several clients, and no report is lost', async (t) => {
    const server = await startServer(t, {
      configuration: BASE_CONFIGURATION + CONTROL_CONFIGURATION + POLICY,
    })
    const clients = await Promise.all(Array.from({ length: CLIENTS }, () => connectConsole(t, server)))
    let isOver = false
    const loading = load(server, () => isOver)
    const timesMs: number[] = []
    await Promise.all(
      clients.map(async (ask, client) => {
        for (let count = client; count < COMMANDS; count += CLIENTS) {
          const line = LINES[count % LINES.length] ?? ''
          const startMs = performance.now()
          assert.doesNotMatch(await ask(line), /^Error/, line)
          timesMs.push(performance.now() - startMs)
        }
      }),
    )
    isOver = true
    const acknowledged = await loading
    const [ask] = clients
    assert.ok(ask !== undefined && acknowledged > 0)
    assert.equal(timesMs.length, COMMANDS)
    assert.equal(await ask('stats()'), `${acknowledged} reports\n`)
    assert.equal(await ask('counter'), String(LINES.length === 5 ? COMMANDS / 5 : -1))
    await untilAnswer(ask, 'getStringStatsDB("logins"):twGet("all", "count")', String(acknowledged))
    const sorted = timesMs.toSorted((a, b) => a - b)
    t.diagnostic(
      `${COMMANDS} commands beside ${acknowledged} reports: median ${(sorted[COMMANDS / 2] ?? 0).toFixed(1)} ms, ` +
        `99 of 100 within ${(sorted[COMMANDS * 0.99] ?? 0).toFixed(1)} ms`,
    )
  })

  test('a line that never ends is stopped, while other clients and reports go on', async (t) => {
    const server = await startServer(t, {
      configuration: BASE_CONFIGURATION + CONTROL_CONFIGURATION + POLICY,
    })
    const [first, second] = [await connectConsole(t, server), await connectConsole(t, server)]
    const endless = first('while true do end')
    const report = await server.post('/command/report', { login: 'a', remote: '192.0.2.1', success: true })
    assert.equal(report.status, 200)
    assert.match(await endless, /^Error: .*(more than 2000 ms of processor time|longer than 30000 ms)/)
    assert.equal(await second('1'), '1')
    // In the policy workers as well: there the first pass ends well, and the second line waits for nobody.
    assert.equal(await first('x = 1'), '')
    await untilAnswer(second, 'getStringStatsDB("logins"):twGet("all", "count")', '1')
    assert.doesNotMatch(server.output, /is replaced/)
  })
})

async function untilAnswer(
  ask: (line: string) => Promise<string>,
  line: string,
  wanted: string,
): Promise<void> {
  const endMs = performance.now() + 30_000
  for (;;) {
    const answer = await ask(line)
    if (answer === wanted) return
    if (performance.now() > endMs) assert.fail(`${line} still answers ${answer} instead of ${wanted}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
