-- unusual-hour: a login from a network and with a device that are new, at an hour at which this user is never there.

local familiar = require "policies.familiar"
local spread = require "policies.spread"
local words = require "policies.words"

local rule = { name = "unusual-hour", on = "success" }

rule.parameters = {
  severity = "low",
  least_logins = 100, -- of a user whose hours tell anything
  percent = 1,       -- of the logins are at most in this hour, the one before and the one after
}

function rule.check(lt, context, parameters)
  if familiar.is_home(context) then return end
  local fit = familiar.device(context)
  -- A known device, or its update where the user has been before, is a journey.
  if fit == "same" or fit == "own" or (fit == "other" and familiar.is_near(context)) then return end
  if familiar.logins(context) < parameters.least_logins then return end
  local now = math.floor((context.now / 60 + context.common.utc_offset_minutes) / 60) % 24
  local total, near = 0, 0
  for _, hour in ipairs(context.users:twItems(lt.login, "hours")) do
    local apart = math.abs(tonumber(hour.item) - now)
    if math.min(apart, 24 - apart) <= 1 then near = near + hour.count end
    total = total + hour.count
  end
  if near * 100 > total * parameters.percent then return end
  if spread.is_common(context) then return end
  raiseAlert {
    rule = rule.name, parameters = parameters,
    key = lt.login, severity = parameters.severity, dedup = "1d", value = near,
    message = string.format("%s logged in at %d o'clock from %s, a new network; of %d earlier logins %d were near this hour. %s",
      lt.login, now, context:where(), total, near, words.ask_user),
    data = { hour = now, network = context.prefix },
  }
end

return rule
