-- password-spray: few different passwords are tried on many logins from one source.

local spread = require "policies.spread"

local rule = { name = "password-spray", on = "failure" }

rule.parameters = {
  severity = "high",
  address_logins = 10,   -- different logins that fail from one address within six hours,
  prefix_logins = 20,    -- from one /24 or /64,
  range_logins = 50,     -- from one /16 or /32,
  network_logins = 100,  -- from one operator's network,
  country_logins = 40,   -- and from one country
  slow_factor = 2,       -- so many times these within a week
  good_share = 0.5,      -- at least this share of the users who log in there
  password_share = 0.5,  -- different passwords for each of the logins, from which on it is credential-stuffing
}

rule.check = spread.passwords_check(rule, { many = false, words = "with few passwords" })

return rule
