-- new-device: a user who is known logs in with a device that is new, from a network that is new as well.

local device = require "policies.device"
local familiar = require "policies.familiar"
local spread = require "policies.spread"
local words = require "policies.words"

local rule = { name = "new-device", on = "success" }

rule.parameters = {
  severity = "medium",        -- low for networks of many users, anonymisers and devices that many users have
  severity_version = "low",   -- the same program on the same system in another version, over another operator
  at_home = false,            -- true: also from networks that are known, with severity low
}

-- Another version is an update where the user has been before; in a new country it is for new-country to say.
local function is_update(context) return familiar.is_near(context) or familiar.is_new_country(context) end

local function severity_of(context, fit, parameters)
  if fit == "other" then return parameters.severity_version end
  if familiar.is_home(context) then return "low" end
  local is_common = context.sources:twGet("device:" .. context.device, "good") >= context.common.common_users
  return is_common and "low" or spread.weigh(context, parameters.severity)
end

-- Nothing is new to a user whose devices have never said what they are.
local function has_named(kinds)
  for kind in pairs(kinds) do
    if not device.is_unnamed(kind) then return true end
  end
  return false
end

function rule.check(lt, context, parameters)
  if context.device == "" or (familiar.is_home(context) and not parameters.at_home) then return end
  local fit = familiar.device(context)
  if fit ~= "new" and (fit ~= "other" or is_update(context)) then return end
  if not familiar.is_known(context) then return end
  local known = familiar.all(context, "devices")
  if not has_named(known) then return end
  raiseAlert {
    rule = rule.name, parameters = parameters,
    key = lt.login, severity = severity_of(context, fit, parameters), dedup = "1d",
    message = string.format("%s logged in with %s, which is new for this user%s, from %s; usual: %s. %s", lt.login, context.device,
      fit == "other" and " in this version" or "", context:where(), words.list(known), words.ask_user),
    data = { device = context.device, version = context.version, usual = words.list(known), network = context.prefix },
  }
end

return rule
