-- new-device: a user who is known logs in with a device of a kind that is new, from a network that is new as well.

local spread = require "policies.spread"
local words = require "policies.words"

local rule = { name = "new-device", on = "success" }

rule.parameters = {
  severity = "medium", -- low for networks of many users, anonymisers and devices that many users have
  at_home = false,     -- true: also from networks that are known, with severity low
}

function rule.check(lt, context, parameters)
  local history, device = context.history, context.device
  if not history.is_known or device == "" or history.devices[device] then return end
  if next(history.devices) == nil then return end
  local is_home = history.networks[context.prefix] ~= nil
  if is_home and not parameters.at_home then return end
  local is_common = context.sources:twGet("device:" .. device, "good") >= context.common.common_users
  local severity = (is_home or is_common) and "low" or spread.weigh(context, parameters.severity)
  raiseAlert {
    rule = rule.name, parameters = parameters,
    key = lt.login, severity = severity, dedup = "1d",
    message = string.format("%s logged in with %s, which is new for this user, from %s; usual: %s. %s", lt.login, device,
      context.where(), words.list(history.devices), words.ask_user),
    data = { device = device, usual = words.list(history.devices), network = context.prefix },
  }
end

return rule
