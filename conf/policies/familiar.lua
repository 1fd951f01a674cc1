-- How well a login fits what is remembered of its user. Every question is asked of the trends once for a report, and only
-- when a rule wants to know.

local device = require "policies.device"

local familiar = {}

-- A question about a context, whose answer stays in it.
local function once(name, ask)
  return function(context)
    local answer = context[name]
    if answer == nil then
      answer = ask(context)
      context[name] = answer
    end
    return answer
  end
end

-- Whether the user was seen with something before: an item of the field countries, devices, protocols, operators or places.
function familiar.has(context, field, item)
  return context.users:twSeen(context.login, field, item) ~= nil
end

-- { item = times } of such a field.
function familiar.all(context, field)
  local set = {}
  for _, seen in ipairs(context.users:twItems(context.login, field)) do set[seen.item] = seen.count end
  return set
end

-- Whether the network is one of the user's.
familiar.is_home = once("is_home", function(context)
  return context.users:twSeen(context.login, "places", context.prefix) ~= nil
end)

-- Whether the user has come from the same operator, or, where none is known, from the /16 or /24 of IPv6 around the network.
familiar.is_near = once("is_near", function(context) return familiar.has(context, "operators", context.operator) end)

-- Whether the country is new to a user of whom one is known.
familiar.is_new_country = once("is_new_country", function(context)
  local country = context.country
  if country == "" or familiar.has(context, "countries", country) then return false end
  return #context.users:twItems(context.login, "countries", 1) > 0
end)

-- "own": a device of the user's by its identity; "same": the program, system and version are the user's; "other": the
-- version is not; "new": the program and system are not; "silent": the protocol has no place for such things.
familiar.device = once("device_fit", function(context)
  local kind = context.device
  if context.identity ~= "" and familiar.has(context, "identities", context.identity) then return "own" end
  if kind == "" then return "silent" end
  if device.is_unnamed(kind) then
    local seen = context.users:twSeen(context.login, "devices", kind)
    -- Once may have been a gateway that was not yet known as one.
    return seen and seen.last - seen.first >= 86400 and "same" or "new"
  end
  if not familiar.has(context, "devices", kind) then return "new" end
  if context.version == "" or familiar.has(context, "versions", kind .. "\t" .. context.version) then return "same" end
  return "other"
end)

-- How often the user has logged in, counting once within refresh_minutes.
familiar.logins = once("logins", function(context)
  local logins = 0
  for _, hour in ipairs(context.users:twItems(context.login, "hours")) do logins = logins + hour.count end
  return logins
end)

-- Whether the user is known well enough to be judged by habits.
familiar.is_known = once("is_known", function(context)
  local first = context.now
  for _, seen in ipairs(context.users:twItems(context.login, "protocols")) do first = math.min(first, seen.first) end
  local days, common = (context.now - first) / 86400, context.common
  if days >= common.learn_days then return true end
  return days >= common.learn_least_days and familiar.logins(context) >= common.learn_logins
end)

local last = once("last", function(context) return context.users:twItems(context.login, "places", 1)[1] or false end)

-- { item = network, last = time, count = logins } of the login before; nil for the first one.
function familiar.last(context) return last(context) or nil end

return familiar
