-- success-after-failures: many passwords failed on a login from elsewhere, and one from elsewhere succeeds.

local familiar = require "policies.familiar"
local words = require "policies.words"

local rule = { name = "success-after-failures", on = "success" }

rule.parameters = {
  severity = "high",
  severity_known_device = "low", -- with a device that the user had before, in a new country
  passwords = 5,                 -- different ones that failed within a day
}

function rule.check(lt, context, parameters)
  if familiar.is_home(context) then return end
  local passwords = context.users:twGet(lt.login, "wrong")
  if passwords < parameters.passwords then return end
  local fit = familiar.device(context)
  local is_known = fit == "same" or fit == "own" or (fit ~= "new" and familiar.is_near(context))
  -- A forgotten password, or somebody else's tries and the owner's next network.
  if is_known and not familiar.is_new_country(context) then return end
  raiseAlert {
    rule = rule.name, parameters = parameters,
    key = lt.login, dedup = "1d", value = passwords, threshold = parameters.passwords,
    severity = is_known and parameters.severity_known_device or parameters.severity,
    message = string.format("%s logged in from %s, a new network, after %d different passwords had failed from elsewhere within a day. %s",
      lt.login, context:where(), passwords, words.ask_user),
    data = { network = context.prefix },
  }
end

return rule
