-- What the pack itself does: its block in the configuration, and what it costs.

local pack = require "policies.pack"
local words = require "policies.words"

local function refused(settings, message)
  local ok, why = pcall(pack.setup, settings)
  assert(not ok and why:find(message, 1, true), tostring(why))
end

-- Before any test: databases are defined while the configuration is read.
refused({ ["new-planet"] = {} }, "there is no rule new-planet")
refused({ ["new-country"] = { speed = 3 } }, "new-country has no parameter speed")
refused({ ["new-country"] = { severity = 3 } }, "new-country: severity must be a string")
refused({ common = { learn = 3 } }, "common has no parameter learn")
pack.setup { common = { country_db = "" } }
setReport(pack.report)
local users = getStringStatsDB("pack_users")

test("a way that is known is written at most every ten minutes", function()
  for _ = 1, 30 do report{ login = "ann" } advance("1m") end
  assert(users:twItems("ann", "ways")[1].count == 3)
end)

test("a user of whom a field was forgotten is no error", function()
  for _ = 1, 12 do report{ login = "ann" } advance("1d") end
  users:twResetField("ann", "places")
  report{ login = "ann" }
  users:twResetField("ann", "places")
  users:twResetField("ann", "hours")
  advance("1d")
  report{ login = "ann", remote = "198.51.100.7" }
  expectNoAlert{ rule = "dormant-account" }
end)

test("a login in a known way knows its sources in each of their windows, and its address always", function()
  local sources = getStringStatsDB("pack_sources")
  report{ login = "ann", remote = "192.0.2.10" }
  advance("1h")
  report{ login = "ann", remote = "192.0.2.11" }
  assert(sources:twGet("192.0.2.11", "good") == 1 and sources:twGetCurrent("192.0.2.0/24", "good") == 1)
  advance("6h")
  assert(sources:twGetCurrent("192.0.2.0/24", "good") == 0)
  report{ login = "ann", remote = "192.0.2.11" }
  assert(sources:twGetCurrent("192.0.2.0/24", "good") == 1 and sources:twGetCurrent("192.0.2.11", "good") == 1)
  advance("1h")
  report{ login = "bob", remote = "2001:db8::1" }
  advance("1h")
  report{ login = "bob", remote = "2001:db8::2" }
  assert(sources:twGetCurrent("2001:db8::/64", "good") == 1 and sources:twGet("2001:db8::2", "good") == 0)
end)

test("without a database of countries there is no country, and nothing fails", function()
  for _ = 1, 12 do report{ login = "ann" } advance("1d") end
  report{ login = "ann", remote = "198.51.100.7" }
  expectNoAlert{ rule = "new-country" }
end)

test("a login with strange bytes, or with tabs in its protocol, harms nothing", function()
  for _ = 1, 12 do report{ login = "a\tn\255n", protocol = "im\tap" } advance("1d") end
  expectNoAlert{ severity = "high" }
end)

test("lists have the most frequent first, an end, and a word for nothing", function()
  assert(words.list{ DE = 3, FR = 9, AT = 3 } == "FR, AT, DE")
  assert(words.list{ a = true, b = true, c = true, d = true, e = true, f = true, g = true } == "a, b, c, d, e and 2 more")
  assert(words.list{} == "none")
end)

test("spans are in the unit that says most", function()
  assert(words.span(90) == "1 minutes" and words.span(7200) == "2 hours" and words.span(172800) == "2 days")
end)
