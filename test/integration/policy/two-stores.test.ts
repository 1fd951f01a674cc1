/** The store port's contract from above: a policy cannot tell the embedded store from one whose every read is a promise. */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'node:test'
import { createTrendApplier } from '../../../src/store/apply-trends.ts'
import { openTrendReader } from '../../../src/store/embedded/trend-reader.ts'
import { MemoryStore } from '../../../src/store/memory-store.ts'
import { openPolicyStore } from '../../support/policy-store.ts'
import { startPolicyRun, type PolicyRun } from '../../support/policy-run.ts'
import { ALL_FIELDS, defined, START_SECONDS } from '../../support/trend-fixtures.ts'

const NETWORK_FIELDS = { count: 'int', ips: 'hll', proto: 'countmin', devices: 'seen' } as const
const DEFINITIONS = [
  defined({ name: 'logins', windowSeconds: 60, windowCount: 10, options: {} }),
  defined({
    name: 'networks',
    windowSeconds: 60,
    windowCount: 10,
    fields: new Map(Object.entries(NETWORK_FIELDS)),
    options: {},
  }),
]

const luaFields = (fields: Iterable<readonly [string, string]>): string =>
  Array.from(fields, ([name, type]) => `${name}="${type}"`).join(', ')

/** Reads before it writes, and after; every thirteenth run fails in the end. */
const POLICY = `
  local cjson = require "cjson"
  newStringStatsDB("logins", 60, 10, {${luaFields(ALL_FIELDS)}})
  newStringStatsDB("networks", 60, 10, {${luaFields(Object.entries(NETWORK_FIELDS))}})
  local logins, networks = getStringStatsDB("logins"), getStringStatsDB("networks")

  local function both(db, key)
    local items = {}
    for _, entry in ipairs(db:twItems(key, "devices")) do
      items[#items + 1] = {entry.item, entry.count, entry.first, entry.last}
    end
    table.sort(items, function(a, b) return a[1] < b[1] end)
    return {
      db:twGet(key, "count"), db:twGetWindows(key, "count"), db:twGet(key, "ips"),
      db:twGet(key, "proto", "imap"), db:twGet(key, "proto"), items
    }
  end
  local function readings(login)
    local usual = logins:twBaseline(login, "usual")
    local place, placeTime = logins:twLast(login, "place")
    local top = {}
    for _, entry in ipairs(logins:twTop(login, "hitters", 3)) do
      top[#top + 1] = entry.item .. "=" .. entry.count
    end
    return cjson.encode{
      both(logins, login), place or "", placeTime or 0, top,
      usual and string.format("%.6f %.6f %d", usual.mean, usual.stddev, usual.samples) or ""
    }
  end
  local function add(db, key, lt)
    db:twAdd(key, "count", tonumber(lt.attrs.amount))
    db:twAdd(key, "ips", lt.attrs.ip)
    db:twAdd(key, "proto", lt.protocol)
    db:twAdd(key, "devices", lt.attrs.device)
  end

  setReport(function(lt)
    local before = readings(lt.login)
    add(logins, lt.login, lt)
    add(networks, lt.attrs.ip, lt)
    logins:twAdd(lt.login, "place", lt.session_id)
    logins:twAdd(lt.login, "usual", tonumber(lt.attrs.amount))
    logins:twAdd(lt.login, "hitters", lt.attrs.ip)
    infoLog("read", {session=lt.session_id, before=before, after=readings(lt.login), date=os.date("!%H:%M:%S")})
    if lt.attrs.fail then error("told to") end
    if lt.attrs.reset then logins:twResetField(lt.login, "devices") end
  end)
  setCustomEndpoint("login", function(args) return true, {json=readings(args.attrs.key)} end)
  setCustomEndpoint("network", function(args) return true, {json=cjson.encode(both(networks, args.attrs.key))} end)
`

const LOGINS = ['ann', 'bob', 'cid', 'dan', 'eve']
const IPS = ['192.0.2.1', '192.0.2.2', '192.0.2.3', '192.0.2.4']
const BATCHES = 25

function numbersFrom(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

/** Batches of reports over five minutes: the same for each store. */
function makeBatches(seed: number): readonly (readonly object[])[] {
  const below = numbersFrom(seed)
  const pick = <T>(list: readonly T[]): T | undefined => list[below(list.length)]
  let number = 0
  return Array.from({ length: BATCHES }, () =>
    Array.from({ length: 1 + below(20) }, () => ({
      login: pick(LOGINS),
      session_id: `s${++number}`,
      protocol: pick(['imap', 'pop3', 'smtp']),
      t: START_SECONDS + number,
      attrs: {
        ip: pick(IPS),
        device: `device${below(6)}`,
        amount: String(1 + below(5)),
        ...(number % 13 === 0 ? { fail: 'yes' } : {}),
        ...(number % 17 === 0 ? { reset: 'yes' } : {}),
      },
    })),
  )
}

/** Sends all batches, commits now and then without waiting for it, and answers everything that was read. */
async function everyReading(run: PolicyRun, seed: number): Promise<ReadonlyMap<string, unknown>> {
  const below = numbersFrom(seed + 1)
  const commits: Promise<void>[] = []
  for (const batch of makeBatches(seed)) {
    await run.report(batch)
    await sleep(below(4))
    if (below(3) > 0) commits.push(run.commit())
  }
  await run.ended()
  commits.push(run.commit())
  await Promise.all(commits)
  const read = new Map<string, unknown>(
    run.lines
      .filter(({ message }) => message === 'read')
      .map(({ fields }) => [String(fields['session']), fields]),
  )
  for (const key of LOGINS) read.set(key, await run.call('login', { key }))
  for (const key of IPS) read.set(key, await run.call('network', { key }))
  return new Map([...read].toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

for (const seed of [1, Math.floor(Math.random() * 1e6)]) {
  test(`a policy reads the same from the embedded store and from one far away (seed ${seed})`, async (t) => {
    const embedded = await openPolicyStore(t, DEFINITIONS)
    const near = await startPolicyRun({
      source: POLICY,
      store: embedded,
      reader: await openTrendReader({ ...embedded.readerAccess(), worker: 1 }),
      worker: 1,
      timeSource: 'report',
    })
    const memory = new MemoryStore({ applier: createTrendApplier({ definitions: DEFINITIONS }), delayMs: 2 })
    t.after(() => memory.close())
    const far = await startPolicyRun({
      source: POLICY,
      store: memory,
      reader: memory.trendReader(1),
      worker: 1,
      timeSource: 'report',
    })
    try {
      const [expected, actual] = await Promise.all([everyReading(near, seed), everyReading(far, seed)])
      const reports = makeBatches(seed).flat().length
      assert.equal(expected.size, reports + LOGINS.length + IPS.length, 'every run has read')
      assert.deepEqual(actual, expected)
    } finally {
      await near.close()
      await far.close()
    }
  })
}
