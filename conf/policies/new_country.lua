-- new-country: a user who is known logs in from a country for the first time.

local spread = require "policies.spread"
local words = require "policies.words"

local rule = { name = "new-country", on = "success" }

rule.parameters = {
  severity = "medium", -- low for networks of many users and for anonymisers
  severity_known_device = "info", -- with a device that the user had before: most likely a journey, or a VPN
}

function rule.check(lt, context, parameters)
  local history, country = context.history, context.country
  if not history.is_known or country == "" or history.countries[country] then return end
  if next(history.countries) == nil then return end
  local severity = history.devices[context.device] and parameters.severity_known_device
    or spread.weigh(context, parameters.severity)
  raiseAlert {
    rule = rule.name, parameters = parameters,
    key = lt.login, severity = severity, dedup = "1d",
    message = string.format("%s logged in from %s, a country that is new for this user; usual: %s. %s", lt.login,
      context.where(), words.list(history.countries), words.ask_user),
    data = { country = country, usual = words.list(history.countries), network = context.prefix },
  }
end

return rule
