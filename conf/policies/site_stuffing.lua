-- site-stuffing: far more logins than usual are tried from where they are not at home, however many sources share the work.

local jump = require "policies.jump"

local rule = { name = "site-stuffing", on = "site" }

rule.parameters = {
  severity = "high",
  least_logins = 50, -- different ones within five minutes
  deviations = 6,    -- standard deviations from what is usual
  factor = 3,        -- and at least so many times it
  samples = 24,      -- a baseline of so many samples counts: two weeks
}

function rule.check(_, context, parameters)
  local last = context.site:twGetWindows("site", "strange", nil, 2)[2]
  local usual = jump.above(context, "strangers", last, function()
    local windows, others, sum = context.site:twGetWindows("site", "strange"), 0, 0
    for window = 5, #windows do
      if windows[window] > 0 then others, sum = others + 1, sum + windows[window] end
    end
    return others >= parameters.samples and sum / others or nil
  end, parameters)
  if usual == nil or last < parameters.least_logins then return end
  raiseAlert {
    rule = rule.name, parameters = parameters,
    severity = parameters.severity, dedup = "1h", resolveAfter = "1h", value = last,
    threshold = parameters.least_logins,
    message = string.format("within five minutes %d logins failed from networks that are not their own, usual are %d: a list of "
      .. "stolen passwords is tried from many addresses. Look at the logins that succeed from new networks now.", last, usual),
  }
end

return rule
