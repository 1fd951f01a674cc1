-- Rules about the whole site, which a background function runs every five minutes.

local pack = require "policies.pack"
pack.setup {}
setReport(pack.report)
local site = getStringStatsDB("pack_site")

-- What five minutes bring, and the background function after them.
local function minutes(good, failed)
  site:twAdd("site", "good", good)
  site:twAdd("site", "failed", failed)
  advance("5m")
  background("policy-pack-site")
end

local function strangers(count, from)
  for i = 1, count do
    report{ login = "user" .. (from or 0) + i, remote = "198." .. i % 200 .. "." .. math.floor(i / 200) .. ".7", success = false,
      pwhash = "old" }
  end
  advance("5m")
  background("policy-pack-site")
end

test("the failure rate jumps above the day before", function()
  for _ = 1, 30 do minutes(95, 5) end
  expectNoAlert()
  for _ = 1, 3 do minutes(50, 80) end
  local alert = expectAlert{ rule = "site-failure-rate", key = "", severity = "high", message = "61 %% of .*240 of 390.*usual is" }
  assert(alert.value > 61 and alert.value < 62, alert.value)
end)

test("few failures, or a day of which little is known, raise nothing; nor does a site that sleeps", function()
  background("policy-pack-site")
  for _ = 1, 30 do minutes(2, 0) end
  for _ = 1, 3 do minutes(0, 30) end
  expectNoAlert()
  for _ = 1, 5 do minutes(50, 80) end
  expectNoAlert()
end)

test("a rate that is usual at this hour of the week raises nothing", function()
  for _ = 1, 4 do
    for _ = 1, 9 do minutes(50, 50) end
    advance(7 * 86400 - 45 * 60)
  end
  for _ = 1, 6 do minutes(50, 60) end
  expectNoAlert()
end)

test("an attack does not become usual while it lasts", function()
  for _ = 1, 40 do minutes(990, 10) end
  for _ = 1, 4 do minutes(100, 900) end
  expectAlert{ rule = "site-failure-rate" }
  assert(site:twBaseline("site", "rate").mean < 0.1, site:twBaseline("site", "rate").mean)
end)

test("a list of passwords that is tried from many addresses is seen in the whole", function()
  for _ = 1, 32 do strangers(2) end
  expectNoAlert()
  strangers(80, 1000)
  expectAlert{ rule = "site-stuffing", severity = "high", message = "80 logins failed .*usual are 2" }
end)

test("few strangers, or none known before, raise nothing", function()
  strangers(40)
  for _ = 1, 32 do strangers(1) end
  strangers(20)
  expectNoAlert{ rule = "site-stuffing" }
end)
