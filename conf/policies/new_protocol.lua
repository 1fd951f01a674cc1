-- new-protocol: a user who is known logs in with a protocol for the first time, such as POP3 after years of webmail.

local place = require "policies.place"
local spread = require "policies.spread"
local words = require "policies.words"

local rule = { name = "new-protocol", on = "success" }

rule.parameters = {
  severity = "medium",       -- low for networks of many users and for anonymisers
  at_home = false,           -- true: also from networks that are known, where somebody has set up a mail program
  severity_at_home = "info",
}

function rule.check(lt, context, parameters)
  local history = context.history
  if not history.is_known or lt.protocol == "" then return end
  if history.protocols[place.protocol(lt.protocol)] then return end
  local is_home = history.networks[context.prefix] ~= nil
  if is_home and not parameters.at_home then return end
  raiseAlert {
    rule = rule.name, parameters = parameters,
    key = lt.login, dedup = "1d",
    severity = is_home and parameters.severity_at_home or spread.weigh(context, parameters.severity),
    message = string.format("%s logged in by %s for the first time, from %s; usual: %s. %s", lt.login, lt.protocol,
      context.where(), words.list(history.protocols), words.ask_user),
    data = { protocol = lt.protocol, usual = words.list(history.protocols), network = context.prefix },
  }
end

return rule
