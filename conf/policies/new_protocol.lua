-- new-protocol: a user who is known logs in with a protocol for the first time, such as POP3 after years of webmail.

local familiar = require "policies.familiar"
local spread = require "policies.spread"
local words = require "policies.words"

local rule = { name = "new-protocol", on = "success" }

rule.parameters = {
  severity = "medium",       -- low for networks of many users and for anonymisers
  at_home = false,           -- true: also from networks that are known, where somebody has set up a mail program
  severity_at_home = "info",
}

function rule.check(lt, context, parameters)
  if lt.protocol == "" then return end
  local is_home = familiar.is_home(context)
  if is_home and not parameters.at_home then return end
  if familiar.has(context, "protocols", context.protocol) or not familiar.is_known(context) then return end
  local usual = words.list(familiar.all(context, "protocols"))
  raiseAlert {
    rule = rule.name, parameters = parameters,
    key = lt.login, dedup = "1d",
    severity = is_home and parameters.severity_at_home or spread.weigh(context, parameters.severity),
    message = string.format("%s logged in by %s for the first time, from %s; usual: %s. %s", lt.login, lt.protocol,
      context:where(), usual, words.ask_user),
    data = { protocol = lt.protocol, usual = usual, network = context.prefix },
  }
end

return rule
