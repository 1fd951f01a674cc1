-- success-from-spraying-source: where logins of many users fail, one succeeds, and that user is not at home there.

local familiar = require "policies.familiar"
local spread = require "policies.spread"

local rule = { name = "success-from-spraying-source", on = "success" }

rule.parameters = {
  severity = "critical",
  address_logins = 10, -- as of password-spray
  prefix_logins = 20,
  slow_factor = 2,
  good_share = 0.5,
}

local levels = spread.levels(rule.parameters)

function rule.check(lt, context, parameters)
  if familiar.is_home(context) then return end
  for index = 1, #levels do
    local level = levels[index]
    local count, limit = spread.failing(context, level, parameters)
    if count then
      local key = spread.sources(context)[level.index]
      raiseAlert {
        rule = rule.name, parameters = parameters,
        key = lt.login, severity = parameters.severity, dedup = "1d", value = count, threshold = limit,
        message = string.format("%s logged in from %s for the first time, and %d logins of others failed from %s within a week: "
          .. "somebody who tries passwords has found this one. Lock the login, end its sessions and change the password.", lt.login,
          context:where(), count, key),
        data = { source = key, level = level.name },
      }
      return
    end
  end
end

return rule
