-- dormant-account: an account that nobody used for long is used again.

local familiar = require "policies.familiar"
local words = require "policies.words"

local rule = { name = "dormant-account", on = "success" }

rule.parameters = {
  severity = "medium",
  severity_at_home = "info", -- from a network that was its own
  days = 90,
  severity_elsewhere = "low", -- from an operator, or a /16 or /24 of IPv6, that is new,
  days_elsewhere = 7,         -- after so many days
}

-- Whether no other rule speaks of where or with what somebody is back.
local function is_all_known(context)
  local fit = familiar.device(context)
  return (fit == "same" or fit == "silent") and not familiar.is_new_country(context)
end

local function severity_of(context, days, parameters)
  if days >= parameters.days then
    return familiar.is_home(context) and parameters.severity_at_home or parameters.severity, parameters.days
  end
  if days < parameters.days_elsewhere or familiar.is_near(context) or not is_all_known(context) then return nil end
  return parameters.severity_elsewhere, parameters.days_elsewhere
end

function rule.check(lt, context, parameters)
  local last = familiar.last(context)
  if last == nil then return end
  local seconds = context.now - last.last
  local severity, threshold = severity_of(context, seconds / 86400, parameters)
  if severity == nil then return end
  raiseAlert {
    rule = rule.name, parameters = parameters,
    key = lt.login, dedup = "1d", value = math.floor(seconds / 86400), threshold = threshold, severity = severity,
    message = string.format("%s was not used for %s and logged in from %s; before: %s. %s", lt.login, words.span(seconds),
      context:where(), last.item, words.ask_user),
    data = { network = context.prefix, before = last.item },
  }
end

return rule
