import assert from 'node:assert/strict'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { allRun, ANSWER_LUA, ask, eventually, report } from '../support/ask-server.ts'
import { BASE_CONFIGURATION, startServer, type ServerProcess } from '../support/server-process.ts'
import { smallDisk } from '../support/small-disk.ts'

const MIB = 1024 * 1024
/** More than the 64 MiB that the store keeps free, with room for its files. */
const DISK_MIB = 96

const configuration = (disk: string): string => `
  ${BASE_CONFIGURATION}${ANSWER_LUA}
  setStateDirectory("${join(disk, 'state')}")
  newStringStatsDB("logins", 86400, 30, {count="int", sessions="seen"})
  local db = getStringStatsDB("logins")
  setReport(function(lt)
    db:twAdd(lt.login, "count", 1)
    db:twAdd(lt.login, "sessions", lt.session_id)
  end)
  setCustomEndpoint("count", function(args)
    return answer{count=db:twGet(args.attrs.login, "count"), sessions=#db:twItems(args.attrs.login, "sessions")}
  end)
`

const start = (t: TestContext, disk: string, folder?: string): Promise<ServerProcess> =>
  startServer(t, { configuration: configuration(disk), ...(folder === undefined ? {} : { folder }) })

async function readiness(server: ServerProcess): Promise<string> {
  const answer = await server.get('/command/readyz')
  return `${answer.status} ${await answer.text()}`
}

test('while the disk is full reports are refused with 503, nothing acknowledged is lost, and it heals by itself', async (t) => {
  const disk = await smallDisk(t, DISK_MIB)
  if (disk === undefined) return
  const server = await start(t, disk)
  let acknowledged = 0
  const session = (): object => ({ login: 'ann', session_id: `s${acknowledged}` })
  for (; acknowledged < 10; acknowledged++) await report(server, { ...session() })

  const ballast = join(disk, 'ballast')
  await writeFile(ballast, Buffer.alloc((DISK_MIB - 50) * MIB))
  let refused: Response | undefined
  await eventually('no report is refused', async () => {
    const answer = await server.post('/command/report', { remote: '192.0.2.7', success: true, ...session() })
    if (answer.status === 200) acknowledged++
    else refused = answer
    return answer.status !== 200
  })
  assert.equal(refused?.status, 503)
  assert.ok(Number(refused.headers.get('retry-after')) > 0)
  assert.match(await refused.text(), /disk is full; send the report again later/)
  assert.match(await readiness(server), /^503 .*reports cannot be stored.*MiB free/)

  for (let more = 0; more < 20; more++) {
    const answer = await server.post('/command/report', { remote: '192.0.2.7', success: true, ...session() })
    assert.equal(answer.status, 503)
    await answer.arrayBuffer()
  }
  await allRun(server)
  const counted = { count: acknowledged, sessions: acknowledged }
  assert.deepEqual(await ask(server, 'count', { login: 'ann' }), counted, 'what was stored is run and read')

  await rm(ballast)
  await eventually('it does not heal', async () => (await readiness(server)).startsWith('200 '))
  await report(server, { ...session() })
  acknowledged++
  await server.stop('SIGKILL')
  // All of the output is there only now: an answer may overtake a line that was written before it.
  const lines = server.output.match(/ (?:info|error) +reports can(?:not)? be stored/g)
  assert.deepEqual(
    lines?.map((line) => line.trim().replace(/ +/, ' ')),
    ['info reports can be stored', 'error reports cannot be stored', 'info reports can be stored'],
    server.output,
  )

  const again = await start(t, disk, server.folder)
  await allRun(again)
  assert.deepEqual(await ask(again, 'count', { login: 'ann' }), {
    count: acknowledged,
    sessions: acknowledged,
  })
  await again.stop('SIGTERM')
})
