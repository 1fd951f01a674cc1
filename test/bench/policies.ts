/**
 * The configurations that are measured, as Lua text. Each comes after a listener and a password.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const SHIPPED_FOLDER = fileURLToPath(new URL('../../conf', import.meta.url))

const EMPTY_POLICY = `
setReport(function(lt) end)
`

/** The seven trend operations that wforce was measured with. */
const SEVEN_OPERATIONS = `
newStringStatsDB("bench", 3600, 24, {
  count = "int", fail = "int", ips = "hll", users = "hll", proto = "countmin",
})
local db = getStringStatsDB("bench")
setReport(function(lt)
  db:twAdd(lt.login, "count", 1)
  db:twAdd(lt.remote, "count", 1)
  db:twAdd(lt.login, "ips", lt.remote)
  db:twAdd(lt.remote, "users", lt.login)
  db:twAdd(lt.login, "proto", lt.protocol)
  if not lt.success then
    db:twAdd(lt.login, "fail", 1)
    db:twAdd(lt.remote, "fail", 1)
  end
  local failures = db:twGet(lt.login, "fail")
  local users = db:twGet(lt.remote, "users")
end)
`

/** @param keys for which there is room twice over, so that nothing is pushed out. */
function sevenOperationsOn(keys: number): string {
  return `${SEVEN_OPERATIONS}db:twSetMaxSize(${2 * keys})\n`
}

/** The shipped configuration, but for what the bench sets itself. Its modules are found where they are. */
function policyPack(): string {
  const replaced = ['addListener', 'setACL', 'setWebserverPassword', 'controlSocket', 'setKey']
  const names = replaced.map((name) => `"${name}"`).join(', ')
  return `
for _, name in ipairs { ${names} } do _G[name] = function() end end
package.path = ${JSON.stringify(join(SHIPPED_FOLDER, '?.lua'))}
${readFileSync(join(SHIPPED_FOLDER, 'trackalert.conf'), 'utf8')}`
}

const ENDPOINT = `
setReport(function(lt) end)
setCustomEndpoint("bench", function(args)
  return true, { login = args.attrs.login }
end)
`

/** @param url of another system that every report asks. */
function waitingPolicy(url: string): string {
  return `
setReport(function(lt)
  local status = http.request{url = ${JSON.stringify(url)}}
  if status ~= 200 then error("the other system answered " .. tostring(status)) end
end)
`
}

/** @param url of the receiver. */
function webHookPolicy(url: string): string {
  return `
addCustomWebHook("bench", { url = ${JSON.stringify(url)} })
setReport(function(lt) runCustomWebHook("bench", lt.session_id) end)
`
}

export const POLICIES = {
  empty: EMPTY_POLICY,
  sevenOperations: SEVEN_OPERATIONS,
  sevenOperationsOn,
  policyPack,
  sevenOperationsInMemory: `setReportDurability("none")\n${SEVEN_OPERATIONS}`,
  endpoint: ENDPOINT,
  waiting: waitingPolicy,
  webHook: webHookPolicy,
} as const
