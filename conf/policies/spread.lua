-- Sources of logins: an address, its network (/24 or /64), the range around that (/16 or /32), its operator's network and its
-- country, each with what came from it within a week. Logins that fail where they are at home are not in it.

local place = require "policies.place"
local words = require "policies.words"

local spread = {}

-- { level, key } from the smallest; an IPv6 address stands for nothing beside its /64.
function spread.sources(context)
  if context.source_list then return context.source_list end
  local list = {}
  if context.remote:isIPv4() then table.insert(list, { level = "address", key = context.remote:tostring() }) end
  table.insert(list, { level = "prefix", key = context.prefix })
  table.insert(list, { level = "range", key = addressPrefix(context.remote, 16, 32) })
  local network = place.network(context.remote, context.common)
  if network ~= "" then table.insert(list, { level = "network", key = network }) end
  local country = place.country(context.remote, context.common)
  if country ~= "" then table.insert(list, { level = "country", key = "country " .. country }) end
  context.source_list = list
  return list
end

-- The operator, or, where it is not known, what is most likely one operator's: of IPv6, one has a /32 or several near it.
function spread.operator(context)
  local network = place.network(context.remote, context.common)
  return network ~= "" and network or addressPrefix(context.remote, 16, 24)
end

-- How many logins failed at a source when these are too many, else nil. Too many: `limit` in six hours, or slow_factor
-- times as many within a week, and at least good_share of the logins that succeed there: a gateway of thousands has its
-- share of people who mistype.
function spread.failing(context, source, parameters)
  local limit = parameters[source.level .. "_logins"]
  if limit == nil then return nil end
  local key, sources = source.key, context.sources
  -- Asked once for all rules: the list is that of one report.
  local count = source.failed or sources:twGet(key, "failed")
  source.failed = count
  if count < limit then return nil end
  if count < limit * parameters.slow_factor and sources:twGetCurrent(key, "failed") < limit then return nil end
  if count < sources:twGet(key, "good") * parameters.good_share then return nil end
  return math.floor(count + 0.5), limit
end

-- Whether the passwords that failed at a source are about as many as the logins.
local function has_many_passwords(context, source, count, share)
  return context.sources:twGet(source.key, "passwords") >= count * share
end

-- The check of a rule about sources that try passwords on many logins. passwords.many: whether it is about those that try
-- about as many passwords as logins, or few; passwords.words: how its message says so.
function spread.passwords_check(rule_name, passwords)
  return function(_, context, parameters)
    for _, source in ipairs(spread.sources(context)) do
      local count, limit = spread.failing(context, source, parameters)
      if count and has_many_passwords(context, source, count, parameters.password_share) == passwords.many then
        raiseAlert {
          rule = rule_name, parameters = parameters,
          key = source.key, severity = parameters.severity, dedup = "6h", user = "", value = count,
          threshold = limit,
          message = string.format("%d logins failed from %s within a week, %s, at last %s from %s. %s", count, source.key,
            passwords.words, context.login, context.where(), words.block),
          data = { level = source.level },
        }
      end
    end
  end
end

-- How many users have logged in from a network within a week.
function spread.users_at(context, prefix)
  local users = context.users_at[prefix]
  if users == nil then
    users = context.sources:twGet(prefix, "good")
    context.users_at[prefix] = users
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
