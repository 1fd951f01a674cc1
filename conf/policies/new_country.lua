-- new-country: a user who is known logs in from a country for the first time.

local familiar = require "policies.familiar"
local place = require "policies.place"
local spread = require "policies.spread"
local words = require "policies.words"

local rule = { name = "new-country", on = "success" }

rule.parameters = {
  severity = "medium",           -- low for networks of many users and for anonymisers
  severity_known_device = "low", -- with a program and system that the user had before, and a reason to doubt a journey:
  home_hours = 3,                -- so soon after a login from a usual network nobody is abroad,
  usual_logins = 5,              -- which is one of so many logins and of fewer than common_users users,
  silent_days = 7,               -- or the first login after so many days
  travelled_countries = 3,       -- who was seen in so many countries travels, or has a VPN,
  shared_users = 3,              -- and a network of so many users is a hotel or a VPN
}

-- The usual network from which the user has just logged in, and when; nil without.
local function usual_network(context, parameters)
  local since = context.now - parameters.home_hours * 3600
  for _, seen in ipairs(context.users:twItems(context.login, "places", 8)) do
    if seen.last < since then return nil end
    local is_usual = seen.count >= parameters.usual_logins
    if is_usual and spread.users_at(context, seen.item) < context.common.common_users then return seen end
  end
end

-- Why a login with a known device is no journey; nil when it may well be one.
local function doubt(context, parameters)
  if #context.users:twItems(context.login, "countries", parameters.travelled_countries) >= parameters.travelled_countries
    or spread.users_at(context, context.prefix) >= parameters.shared_users
    or place.is_anonymous(context.remote, context.common) then
    return nil
  end
  local before = familiar.last(context)
  local silence = before and context.now - before.last or 0
  if silence >= parameters.silent_days * 86400 then return "after " .. words.span(silence) .. " without a login" end
  local usual = usual_network(context, parameters)
  return usual and words.span(context.now - usual.last) .. " after a login from " .. usual.item
end

function rule.check(lt, context, parameters)
  if not familiar.is_new_country(context) or not familiar.is_known(context) then return end
  local fit = familiar.device(context)
  if fit == "own" then return end
  local severity, why
  if fit == "same" then
    why = doubt(context, parameters)
    if why == nil then return end
  elseif fit == "other" then
    why = "with another version of " .. context.device
  end
  severity = why and parameters.severity_known_device or spread.weigh(context, parameters.severity)
  local usual = words.list(familiar.all(context, "countries"))
  raiseAlert {
    rule = rule.name, parameters = parameters,
    key = lt.login, severity = severity, dedup = "1d",
    message = string.format("%s logged in from %s, a country that is new for this user%s; usual: %s. %s", lt.login,
      context:where(), why and ", " .. why or "", usual, words.ask_user),
    data = { country = context.country, usual = usual, network = context.prefix },
  }
end

return rule
