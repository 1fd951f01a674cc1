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

function rule.check(_, context, parameters)
  local good, failed = context.site:twGetWindows("site", "good"), context.site:twGetWindows("site", "failed")
  local now_good, now_failed, day_good, day_failed = 0, 0, 0, 0
  for window = 2, #good do
    if window <= LAST then
      now_good, now_failed = now_good + good[window], now_failed + failed[window]
    else
      day_good, day_failed = day_good + good[window], day_failed + failed[window]
    end
  end
  if now_good + now_failed == 0 then return end
  local day = day_good + day_failed
  local rate = now_failed / (now_good + now_failed)
  local usual = jump.above(context, "rate", rate, day >= parameters.least_logins and day_failed / day or nil, parameters)
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
