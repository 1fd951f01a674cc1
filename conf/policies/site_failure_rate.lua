-- site-failure-rate: of all logins of the site far more fail than is usual at this hour of the week.

local jump = require "policies.jump"

local rule = { name = "site-failure-rate", on = "site" }

rule.parameters = {
  severity = "high",
  least_failures = 100, -- in a quarter of an hour
  deviations = 4,       -- standard deviations from what is usual
  factor = 2,           -- and at least so many times it
  samples = 24,         -- a baseline of so many samples counts: two weeks
  least_logins = 300,   -- until then, the day before counts if it has so many
}

local LAST = 4 -- windows of five minutes: 2 to 4, the first one goes on

-- How many before the window that goes on.
local function sum(windows)
  local all = 0
  for window = 2, #windows do all = all + windows[window] end
  return all
end

function rule.check(_, context, parameters)
  local site = context.site
  local good, failed = site:twGetWindows("site", "good", nil, LAST), site:twGetWindows("site", "failed", nil, LAST)
  local now_good, now_failed = sum(good), sum(failed)
  if now_good + now_failed == 0 then return end
  local rate = now_failed / (now_good + now_failed)
  local usual = jump.above(context, "rate", rate, function()
    local day_failed = site:twGet("site", "failed") - failed[1] - now_failed
    local day = day_failed + site:twGet("site", "good") - good[1] - now_good
    return day >= parameters.least_logins and day_failed / day or nil
  end, parameters)
  if usual == nil or now_failed < parameters.least_failures then return end
  raiseAlert {
    rule = rule.name, parameters = parameters,
    severity = parameters.severity, dedup = "1h", resolveAfter = "1h", value = math.floor(rate * 1000) / 10,
    message = string.format("%d %% of the logins of the last 15 minutes failed (%d of %d), usual is %d %%. An attack on the whole "
      .. "site, or what checks the passwords is broken: look at the other alerts, then at the directory.", rate * 100, now_failed,
      now_failed + now_good, usual * 100),
  }
end

return rule
