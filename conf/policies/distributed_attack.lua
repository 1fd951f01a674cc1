-- distributed-attack: passwords are tried on one login from many networks that are not its own.

local rule = { name = "distributed-attack", on = "failure" }

rule.parameters = {
  severity = "high",
  passwords = 8, -- different ones within a day; a telephone with an old password roams, but has one
  networks = 5,  -- different ones within a day
}

function rule.check(lt, context, parameters)
  local passwords, networks = context.passwords, context.networks
  if networks < parameters.networks or passwords < parameters.passwords then return end
  raiseAlert {
    rule = rule.name, parameters = parameters,
    key = lt.login, severity = parameters.severity, dedup = "6h", value = networks,
    threshold = parameters.networks,
    message = string.format("%d different passwords were tried on %s from %d networks within a day, at last from %s. "
      .. "Blocking addresses will not do: make sure that the password is strong, or lock the login for a while.", passwords,
      lt.login, networks, context:where()),
    data = { passwords = passwords, network = context.prefix },
  }
end

return rule
