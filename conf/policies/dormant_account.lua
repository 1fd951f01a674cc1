-- dormant-account: an account that nobody used for long is used again.

local words = require "policies.words"

local rule = { name = "dormant-account", on = "success" }

rule.parameters = {
  severity = "medium",
  severity_at_home = "info", -- from a network that was its own
  days = 90,
}

function rule.check(lt, context, parameters)
  local history = context.history
  if history.last == nil then return end
  local seconds = context.now - history.last
  if seconds < parameters.days * 86400 then return end
  local is_home = history.networks[context.prefix] ~= nil
  raiseAlert {
    rule = rule.name, parameters = parameters,
    key = lt.login, dedup = "1d", value = math.floor(seconds / 86400), threshold = parameters.days,
    severity = is_home and parameters.severity_at_home or parameters.severity,
    message = string.format("%s was not used for %s and logged in from %s; before: %s. %s", lt.login, words.span(seconds),
      context.where(), history.last_prefix, words.ask_user),
    data = { network = context.prefix, before = history.last_prefix },
  }
end

return rule
