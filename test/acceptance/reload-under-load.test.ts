/** A hundred reloads while reports come in, every third of them broken. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { allRun } from '../support/ask-server.ts'
import { LoginClient } from '../support/login-client.ts'
import { reload, reloadOutcomes } from '../support/reload.ts'
import { BASE_CONFIGURATION, startServer, type ServerProcess } from '../support/server-process.ts'

const RELOADS = 100
/** The first time is when everything has come into use; from there on nothing may grow. */
const MEASURE_EVERY = 20
const USERS = 400
const CONNECTIONS = 4
/** Reports fill the memory that the store writes its log to, and heaps grow until they are collected. */
const GROWTH_UNDER_LOAD_MB = 350
/** Without reports that would hide it: workers of one configuration that stayed would take some 40 MB with each reload. */
const QUIET_RELOADS = 16
const QUIET_GROWTH_MB = 80

const noProc = existsSync('/proc/self/task') ? false : 'there is no /proc on this system'

const MISTAKES = [
  'setReport(function(lt) oops',
  'setACL{"10.0.0.0/99"}',
  'newGeoIP2DB("city", "missing.mmdb")',
  'addListener("192.0.2.1:9", false, "", "", {})',
] as const

/** What every policy does, and something that changes from one to the next. */
function configuration(round: number): string {
  return `${BASE_CONFIGURATION}
    setNumLuaStates(${1 + (round % 2)})
    newStringStatsDB("logins", 86400, 30, {count="int", sessions="seen"${round % 4 === 0 ? ', more="hll"' : ''}}, {maxItems=4096})
    local db = getStringStatsDB("logins")
    setReport(function(lt)
      db:twAdd(lt.login, "count", 1)
      db:twAdd(lt.login, "sessions", lt.session_id)
    end)
    setCustomEndpoint("remembered", function(args)
      local found = {count=tostring(db:twGet(args.attrs.login, "count"))}
      for _, session in ipairs(db:twItems(args.attrs.login, "sessions")) do found[session.item] = tostring(session.count) end
      return true, found
    end)
    ${round % 5 === 0 ? 'addListener("127.0.0.1:0", false, "", "", {})' : ''}
    ${round % 3 === 0 ? 'newGeoIP2DB("country")' : ''}
    addCustomWebHook("unused", {url="http://127.0.0.1:9/${round % 7}"})`
}

interface Held {
  /** Without mapped files, which are the system's cache. */
  readonly megabytes: number
  readonly threads: number
  readonly files: number
}

/** Without the store's tables, of which there are more the more reports came. */
function openFiles({ child, folder }: ServerProcess): readonly string[] {
  const fds = `/proc/${child.pid}/fd`
  const targets = readdirSync(fds).flatMap((fd) => {
    try {
      return [readlinkSync(join(fds, fd))]
    } catch {
      return [] // closed since it was listed
    }
  })
  return targets.filter((target) => !target.startsWith(join(folder, 'state', 'store')))
}

function held(server: ServerProcess): Held {
  const proc = `/proc/${server.child.pid}`
  const kilobytes = /RssAnon:\s+(\d+)/.exec(readFileSync(`${proc}/status`, 'utf8'))?.[1]
  return {
    megabytes: Number(kilobytes) / 1024,
    threads: readdirSync(`${proc}/task`).length,
    files: openFiles(server).length,
  }
}

function assertGrowth(before: Held, after: Held, limitMb: number): void {
  const growthMb = after.megabytes - before.megabytes
  assert.ok(growthMb < limitMb, `${before.megabytes} MB became ${after.megabytes} MB`)
}

/** The audit: what the server remembers of each login is what it acknowledged, each session once. */
async function assertCountedOnce(server: ServerProcess, { acknowledged }: LoginClient): Promise<void> {
  for (const [login, sessions] of acknowledged) {
    const answer = await server.post('/command/remembered', { attrs: { login } })
    const { r_attrs } = (await answer.json()) as { readonly r_attrs: Readonly<Record<string, string>> }
    const { count, ...found } = r_attrs
    assert.equal(count, String(sessions.size), `the sum of ${login}`)
    assert.deepEqual(found, Object.fromEntries([...sessions].map((session) => [session, '1'])))
  }
}

test(
  `${RELOADS} reloads under load, every third broken: no request fails, every report counts once, nothing grows`,
  { skip: noProc },
  async (t) => {
    const server = await startServer(t, { configuration: configuration(0) })
    const client = new LoginClient(USERS)
    /** What is held when nothing is left to do, always under one and the same configuration. */
    const measure = async (): Promise<Held> => {
      await client.stop()
      await allRun(server)
      assert.equal(await reload(server, configuration(0)), undefined)
      return held(server)
    }
    const measured: Held[] = []
    for (let round = 1; round <= RELOADS; round++) {
      if (round % MEASURE_EVERY === 1) client.start(server.url, CONNECTIONS)
      const mistake = round % 3 === 0 ? MISTAKES[round % MISTAKES.length] : undefined
      const reason = await reload(server, `${configuration(round)}\n${mistake ?? ''}`)
      assert.equal(reason !== undefined, mistake !== undefined, `round ${round}: ${reason}`)
      if (round % MEASURE_EVERY === 0) measured.push(await measure())
    }
    t.diagnostic(`${client.sentCount} reports; held: ${JSON.stringify(measured)}`)

    assert.equal(reloadOutcomes(server).length, RELOADS + measured.length)
    assert.ok(client.sentCount > RELOADS, 'there was no load')
    assert.equal(client.acknowledgedCount, client.sentCount, 'requests failed')
    await assertCountedOnce(server, client)
    const [warm, end] = [measured[0], measured.at(-1)]
    assert.ok(warm !== undefined && end !== undefined)
    // The system's own threads, such as those of its pool, come when they are first needed. Each leaked worker is one more.
    assert.ok(end.threads <= warm.threads + 5, `${warm.threads} threads became ${end.threads}`)
    assert.ok(end.files <= warm.files + CONNECTIONS, `${warm.files} open files became ${end.files}`)
    assertGrowth(warm, end, GROWTH_UNDER_LOAD_MB)
    for (let round = 1; round <= QUIET_RELOADS; round++) await reload(server, configuration(round * 2))
    assertGrowth(end, await measure(), QUIET_GROWTH_MB)
  },
)
