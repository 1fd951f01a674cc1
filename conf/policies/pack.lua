-- The policy pack: remembers who logs in how and from where, and runs the rules of this folder on every report.
-- trackalert_policies(7) describes each rule and its parameters; trackalert.conf sets them.
--
-- What it costs: a login in a way that is known (same network, device and protocol) reads one row and, at most every ten
-- minutes, writes it. Everything else is asked only when something is new, or when a login fails from a place that is not
-- its own.

local place = require "policies.place"
local spread = require "policies.spread"

local pack = {}

local RULES = {
  "success_from_spraying_source", "success_after_failures", "impossible_travel", "new_country", "new_device",
  "new_protocol", "dormant_account", "unusual_hour", "brute_force", "distributed_attack", "password_spray",
  "credential_stuffing", "site_failure_rate", "site_stuffing",
}

-- Of the pack itself; `common` in the block of trackalert.conf.
local common = {
  country_db = "CountryDB", -- name of a GeoIP database that knows countries
  city_db = "",             -- and of one that knows places; "" when there is none
  network_db = "",          -- and of one that knows network numbers (ASN)
  anonymiser_db = "",       -- and of one that knows VPNs, proxies and hosting
  learn_logins = 10,        -- a user is known after so many logins,
  learn_least_days = 5,     -- which take so many days at least: a mail program logs in every few minutes,
  learn_days = 14,          -- or so many days after the first
  refresh_minutes = 10,     -- how exact the last time of a known way to log in is
  common_users = 20,        -- a network or device that so many users have used within a week is nobody's own
  utc_offset_minutes = 0,   -- local time minus UTC, for hours and baselines
}

local users, sources, site
local rules = { success = {}, failure = {}, site = {} }

-- Overrides the defaults in `into`; a name that is not there is a mistake.
local function override(into, given, where)
  for name, value in pairs(given) do
    if into[name] == nil then error(where .. " has no parameter " .. tostring(name), 0) end
    if type(value) ~= type(into[name]) then
      error(where .. ": " .. name .. " must be a " .. type(into[name]), 0)
    end
    into[name] = value
  end
end

-- Takes the block of trackalert.conf: { common = {…}, ["new-country"] = {…} or false, … }.
function pack.setup(settings)
  local known = { common = true }
  override(common, settings.common or {}, "common")
  -- One row per login. ways: network, country, device and protocol of each login that succeeded. hours: at which hour.
  -- wrong: distinct passwords that failed from elsewhere; strangers: networks that they came from.
  users = newStringStatsDB("pack_users", 3600, 24, { ways = "seen", places = "seen", hours = "seen",
    wrong = "hll", strangers = "hll" }, { maxItems = 64 })
  -- One row per address, network and device. failed: logins that failed there and are not at home there; passwords: what
  -- was tried; good: logins that succeeded.
  sources = newStringStatsDB("pack_sources", 6 * 3600, 28, { failed = "hll", passwords = "hll", good = "hll" })
  site = newStringStatsDB("pack_site", 300, 288, { good = "int", failed = "int", strange = "hll",
    rate = "baseline", strangers = "baseline" }, { utcOffsetMinutes = common.utc_offset_minutes })
  rules = { success = {}, failure = {}, site = {} }
  for _, file in ipairs(RULES) do
    local rule = require("policies." .. file)
    known[rule.name] = true
    local given = settings[rule.name]
    local parameters = {}
    for name, value in pairs(rule.parameters) do parameters[name] = value end
    if given ~= false then
      override(parameters, given or {}, rule.name)
      table.insert(rules[rule.on], { check = rule.check, parameters = parameters })
    end
  end
  for name in pairs(settings) do
    if not known[name] then error("there is no rule " .. tostring(name), 0) end
  end
  setBackground("policy-pack-site", pack.watch_site)
  intervalScheduleBackgroundFunc("00:05:00", "policy-pack-site")
end

local function run(list, lt, context)
  for _, rule in ipairs(list) do rule.check(lt, context, rule.parameters) end
end

-- What a device calls itself in the little that stays the same over its updates; "" when it says nothing.
local function device_of(lt)
  local attrs = lt.device_attrs
  local name = attrs["browser.family"] or attrs["imapc.family"] or attrs["app.name"] or ""
  local system = attrs["os.family"] or ""
  if name == "" or name == "Other" then return "" end
  return system == "" and name or name .. " on " .. system
end

local function context_of(lt, prefix)
  return {
    now = os.time(), login = lt.login, remote = lt.remote, prefix = prefix, device = device_of(lt), common = common,
    users = users, sources = sources, where = function() return place.describe(lt.remote, common) end,
  }
end

-- What is known of the user from the ways of earlier logins.
local function history_of(context)
  local history = { networks = {}, devices = {}, protocols = {}, countries = {}, logins = 0, ways = 0 }
  for _, seen in ipairs(users:twItems(context.login, "ways")) do
    local prefix, device, protocol, country = seen.item:match("^([^\t]*)\t([^\t]*)\t([^\t]*)\t(.*)$")
    history.networks[prefix] = history.networks[prefix] or seen.last
    if device ~= "" then history.devices[device] = true end
    history.protocols[place.protocol(protocol)] = true
    if country ~= "" then history.countries[country] = (history.countries[country] or 0) + seen.count end
    history.logins = history.logins + seen.count
    history.ways = history.ways + 1
    history.first = math.min(history.first or seen.first, seen.first)
    if history.last == nil then history.last, history.last_prefix, history.last_country = seen.last, prefix, country end
  end
  local days = history.first and (context.now - history.first) / 86400 or 0
  history.is_known = days >= common.learn_days
    or (days >= common.learn_least_days and history.logins >= common.learn_logins)
  return history
end

local function remember(context, way)
  users:twAdd(context.login, "ways", way)
  users:twAdd(context.login, "places", context.prefix)
  users:twAdd(context.login, "hours", tostring(math.floor((context.now / 60 + common.utc_offset_minutes) / 60) % 24))
  for _, source in ipairs(spread.sources(context)) do sources:twAdd(source.key, "good", context.login) end
  if context.device ~= "" then sources:twAdd("device:" .. context.device, "good", context.login) end
end

local function succeeded(lt, prefix)
  site:twAdd("site", "good", 1)
  local now = os.time()
  local country = place.country(lt.remote, common)
  local way = table.concat({ prefix, device_of(lt), lt.protocol, country }, "\t")
  local known = users:twSeen(lt.login, "ways", way)
  if known and now - known.last < common.refresh_minutes * 60 then return end
  local context = context_of(lt, prefix)
  if known == nil or now - known.last >= 86400 then
    context.country = country
    context.history = history_of(context)
    run(rules.success, lt, context)
  end
  remember(context, way)
end

local function failed(lt, prefix)
  site:twAdd("site", "failed", 1)
  -- A client with an old password, or its owner who mistypes: no attack comes from where the user is at home.
  if users:twSeen(lt.login, "places", prefix) then return end
  local context = context_of(lt, prefix)
  -- The same password again and again is one try.
  context.password = lt.pwhash ~= "" and lt.pwhash or string.format("%d", context.now)
  users:twAdd(lt.login, "wrong", context.password)
  users:twAdd(lt.login, "strangers", prefix)
  site:twAdd("site", "strange", lt.login)
  -- Asked once for all rules.
  context.passwords = users:twGet(lt.login, "wrong")
  context.networks = users:twGet(lt.login, "strangers")
  for _, source in ipairs(spread.sources(context)) do
    sources:twAdd(source.key, "failed", lt.login)
    sources:twAdd(source.key, "passwords", context.password)
  end
  run(rules.failure, lt, context)
end

-- The report function; setReport(pack.report), or called from another one.
function pack.report(lt)
  if lt.policy_reject then return end
  local prefix = addressPrefix(lt.remote)
  if lt.success then succeeded(lt, prefix) else failed(lt, prefix) end
end

-- Every five minutes: rules about the whole site.
function pack.watch_site()
  run(rules.site, nil, { site = site, now = os.time() })
end

return pack
