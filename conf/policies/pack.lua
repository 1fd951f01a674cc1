-- The policy pack: remembers who logs in how and from where, and runs the rules of this folder on every report.
-- trackalert_policies(7) describes each rule and its parameters; trackalert.conf sets them.
--
-- What it costs: a login in a way that is known (same network, device, version and protocol) reads one row and, at most every
-- ten minutes, writes it; every six hours it writes the rows of its sources. Rules are asked only when something is new, when
-- somebody is back after a day, or when a login fails from a place that is not its own.

local device = require "policies.device"
local familiar = require "policies.familiar"
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
  device_attr = "",         -- name in attrs of what only one device has, such as a cookie of the web login
  refresh_minutes = 10,     -- how exact the last time of a known way to log in is
  common_users = 20,        -- a network or device that so many users have used within a week is nobody's own
  utc_offset_minutes = 0,   -- local time minus UTC, for hours and baselines
}

-- Seconds.
local SOURCES_WINDOW = 6 * 3600

local HOURS = {}
for hour = 0, 23 do HOURS[hour] = tostring(hour) end

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
  -- One row per login. ways: network, device, version and protocol of each login that succeeded, together; the others each for
  -- itself, with places: networks; operators: also /16 and /24; identities: what common.device_attr says; hours: of the
  -- day. wrong: distinct passwords that failed from elsewhere; strangers: networks that they came from.
  users = newStringStatsDB("pack_users", 3600, 24, { ways = "seen", places = "seen", hours = "seen", countries = "seen",
    devices = "seen", versions = "seen", identities = "seen", protocols = "seen", operators = "seen",
    wrong = "hll", strangers = "hll" }, { maxItems = 64 })
  -- One row per address, network and device. failed: logins that failed there and are not at home there; passwords: what
  -- was tried; good: logins that succeeded.
  sources = newStringStatsDB("pack_sources", SOURCES_WINDOW, 28, { failed = "hll", passwords = "hll", good = "hll" })
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
  for index = 1, #list do
    local rule = list[index]
    rule.check(lt, context, rule.parameters)
  end
end

-- What rules know of one report. Answers that several of them want are kept in it as well (familiar.lua, spread.lua).
local function context_of(lt, prefix, now)
  return {
    now = now, login = lt.login, remote = lt.remote, prefix = prefix, common = common, users = users, sources = sources,
    where = place.where,
  }
end

-- What distinguishes one device from all others, where the sender gives it.
local function identity_of(lt)
  if common.device_attr == "" then return "" end
  local identity = lt.attrs[common.device_attr]
  return type(identity) == "string" and identity or ""
end

local function remember(login, way, prefix, now)
  users:twAdd(login, "ways", way)
  users:twAdd(login, "places", prefix)
  users:twAdd(login, "hours", HOURS[(now // 60 + common.utc_offset_minutes) // 60 % 24])
end

-- The sources know the login already when it came in this way in the same window of theirs, but for its address, which is
-- no part of the way.
local function remember_at_address(remote, login)
  if remote:isIPv4() then sources:twAdd(remote:tostring(), "good", login) end
end

local function remember_at_sources(context)
  local login, keys = context.login, spread.sources(context)
  for index = 1, #keys do
    local key = keys[index]
    if key then sources:twAdd(key, "good", login) end
  end
  if context.device ~= "" then sources:twAdd("device:" .. context.device, "good", login) end
end

-- The parts of a way, each for itself. That somebody's program has no name is remembered only where it is not a gateway's.
local function remember_parts(context)
  local login, kind = context.login, context.device
  users:twAdd(login, "protocols", context.protocol)
  users:twAdd(login, "operators", context.operator)
  if context.country ~= "" then users:twAdd(login, "countries", context.country) end
  if context.identity ~= "" then users:twAdd(login, "identities", context.identity) end
  if kind == "" or (device.is_unnamed(kind) and spread.is_common(context)) then return end
  users:twAdd(login, "devices", kind)
  if context.version ~= "" then users:twAdd(login, "versions", kind .. "\t" .. context.version) end
end

-- Whether the login before is a day ago.
local function is_back(context)
  local before = familiar.last(context)
  return before == nil or context.now - before.last >= 86400
end

local function succeeded(lt, prefix)
  site:twAdd("site", "good", 1)
  local login, now, kind, version = lt.login, os.time(), device.kind(lt), device.version(lt)
  local way = prefix .. "\t" .. kind .. "\t" .. version .. "\t" .. lt.protocol
  local known = users:twSeen(login, "ways", way)
  local last = known and known.last
  if last and now - last < common.refresh_minutes * 60 then return end
  if last and last // SOURCES_WINDOW == now // SOURCES_WINDOW then
    remember(login, way, prefix, now)
    return remember_at_address(lt.remote, login)
  end
  local context = context_of(lt, prefix, now)
  context.device, context.version = kind, version
  if last == nil or now - last >= 86400 then
    context.protocol, context.identity = place.protocol(lt.protocol), identity_of(lt)
    context.country, context.operator = place.country(lt.remote, common), spread.operator(context)
    -- In a way that is known nothing is new but that the user is back.
    if last == nil or is_back(context) then run(rules.success, lt, context) end
    remember_parts(context)
  end
  remember(login, way, prefix, now)
  remember_at_sources(context)
end

local function failed(lt, prefix)
  site:twAdd("site", "failed", 1)
  -- A client with an old password, or its owner who mistypes: no attack comes from where the user is at home.
  if users:twSeen(lt.login, "places", prefix) then return end
  local context = context_of(lt, prefix, os.time())
  -- The same password again and again is one try.
  context.password = lt.pwhash ~= "" and lt.pwhash or string.format("%d", context.now)
  users:twAdd(lt.login, "wrong", context.password)
  users:twAdd(lt.login, "strangers", prefix)
  site:twAdd("site", "strange", lt.login)
  -- Asked once for all rules.
  context.passwords = users:twGet(lt.login, "wrong")
  context.networks = users:twGet(lt.login, "strangers")
  local keys = spread.sources(context)
  for index = 1, #keys do
    local key = keys[index]
    if key then
      sources:twAdd(key, "failed", lt.login)
      sources:twAdd(key, "passwords", context.password)
    end
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
