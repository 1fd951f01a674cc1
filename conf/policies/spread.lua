-- Sources of logins: an address, its network (/24 or /64), the range around that (/16 or /32), its operator's network and its
-- country, each with what came from it within a week. Logins that fail where they are at home are not in it.

local place = require "policies.place"
local words = require "policies.words"

local spread = {}

-- From the smallest; an IPv6 address stands for nothing beside its /64.
local LEVELS = { "address", "prefix", "range", "network", "country" }

-- The keys in the order of the levels, false for one that is not known.
function spread.sources(context)
  local keys = context.source_keys
  if keys then return keys end
  local remote, common = context.remote, context.common
  local network = place.network(remote, common)
  local country = context.country or place.country(remote, common)
  keys = {
    remote:isIPv4() and remote:tostring(),
    context.prefix,
    addressPrefix(remote, 16, 32),
    network ~= "" and network,
    country ~= "" and "country " .. country,
  }
  context.source_keys = keys
  return keys
end

-- The levels for which a rule has a limit: { index = place among the sources, name = level, limit = name of the parameter }.
function spread.levels(parameters)
  local levels = {}
  for index, name in ipairs(LEVELS) do
    local limit = name .. "_logins"
    if parameters[limit] then table.insert(levels, { index = index, name = name, limit = limit }) end
  end
  return levels
end

-- The operator, or, where it is not known, what is most likely one operator's: of IPv6, one has a /32 or several near it.
function spread.operator(context)
  local network = place.network(context.remote, context.common)
  return network ~= "" and network or addressPrefix(context.remote, 16, 24)
end

-- How many logins failed at a source when these are too many, else nil. Too many: `limit` in six hours, or slow_factor
-- times as many within a week, and at least good_share of the logins that succeed there: a gateway of thousands has its
-- share of people who mistype.
function spread.failing(context, level, parameters)
  local key = spread.sources(context)[level.index]
  if not key then return nil end
  local limit, sources, failed = parameters[level.limit], context.sources, context.failed_at
  if failed == nil then
    failed = {}
    context.failed_at = failed
  end
  -- Asked once for all rules.
  local count = failed[key]
  if count == nil then
    count = sources:twGet(key, "failed")
    failed[key] = count
  end
  if count < limit then return nil end
  if count < limit * parameters.slow_factor and sources:twGetCurrent(key, "failed") < limit then return nil end
  if count < sources:twGet(key, "good") * parameters.good_share then return nil end
  return math.floor(count + 0.5), limit
end

-- Whether the passwords that failed at a source are about as many as the logins.
local function has_many_passwords(context, key, count, share)
  return context.sources:twGet(key, "passwords") >= count * share
end

-- The check of a rule about sources that try passwords on many logins. passwords.many: whether it is about those that try
-- about as many passwords as logins, or few; passwords.words: how its message says so.
function spread.passwords_check(rule, passwords)
  local levels = spread.levels(rule.parameters)
  return function(_, context, parameters)
    for index = 1, #levels do
      local level = levels[index]
      local count, limit = spread.failing(context, level, parameters)
      local key = spread.sources(context)[level.index]
      if count and has_many_passwords(context, key, count, parameters.password_share) == passwords.many then
        raiseAlert {
          rule = rule.name, parameters = parameters,
          key = key, severity = parameters.severity, dedup = "6h", user = "", value = count,
          threshold = limit,
          message = string.format("%d logins failed from %s within a week, %s, at last %s from %s. %s", count, key,
            passwords.words, context.login, context:where(), words.block),
          data = { level = level.name },
        }
      end
    end
  end
end

-- How many users have logged in from a network within a week.
function spread.users_at(context, prefix)
  local known = context.users_at
  if known == nil then
    known = {}
    context.users_at = known
  end
  local users = known[prefix]
  if users == nil then
    users = context.sources:twGet(prefix, "good")
    known[prefix] = users
  end
  return users
end

-- Whether so many users log in from the network of this login that it is nobody's own: an office, a carrier, a gateway.
function spread.is_common(context)
  return spread.users_at(context, context.prefix) >= context.common.common_users
end

-- What a place that says little about a person makes of a severity.
function spread.weigh(context, severity)
  if spread.is_common(context) or place.is_anonymous(context.remote, context.common) then return "low" end
  return severity
end

return spread
