-- password-spray: few different passwords are tried on many logins from one source.

local spread = require "policies.spread"
local words = require "policies.words"

local rule = { name = "password-spray", on = "failure" }

rule.parameters = {
  severity = "high",
  address_logins = 10,   -- different logins that fail from one address within six hours,
  prefix_logins = 20,    -- from one /24 or /64,
  network_logins = 100,  -- and from one operator's network
  slow_factor = 2,       -- so many times these within a week
  good_share = 0.5,      -- at least this share of the users who log in there
  password_share = 0.5,  -- different passwords for each of the logins, from which on it is credential-stuffing
}

function rule.check(_, context, parameters)
  for _, source in ipairs(spread.sources(context)) do
    local count, limit = spread.failing(context, source, parameters)
    if count and not spread.has_many_passwords(context, source, count, parameters.password_share) then
      raiseAlert {
        rule = rule.name, parameters = parameters,
        key = source.key, severity = parameters.severity, dedup = "6h", user = "", value = count,
        threshold = limit,
        message = string.format("%d logins failed from %s within a week, with few passwords, at last %s from %s. %s", count,
          source.key, context.login, context.where(), words.block),
        data = { level = source.level },
      }
    end
  end
end

return rule
