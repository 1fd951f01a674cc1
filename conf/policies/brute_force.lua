-- brute-force: many different passwords are tried on one login, from few networks that are not its own.

local rule = { name = "brute-force", on = "failure" }

rule.parameters = {
  severity = "medium",
  passwords = 15, -- different ones within a day
  networks = 5,   -- from so many on it is distributed-attack
}

function rule.check(lt, context, parameters)
  local passwords = context.passwords
  if passwords < parameters.passwords or context.networks >= parameters.networks then return end
  raiseAlert {
    rule = rule.name, parameters = parameters,
    key = lt.login, severity = parameters.severity, dedup = "6h", value = passwords,
    threshold = parameters.passwords,
    message = string.format("%d different passwords were tried on %s within a day, at last from %s, where the user is not at home. "
      .. "Block the source; a weak password should be changed.", passwords, lt.login, context:where()),
    data = { network = context.prefix },
  }
end

return rule
