-- Rules about logins that fail, and about those that succeed after it.

local pack = require "policies.pack"
pack.setup { common = { network_db = "Geo" }, ["new-country"] = false }
setReport(pack.report)

local function fail(login, remote, password)
  report{ login = login, remote = remote, success = false, fail_type = "credentials", pwhash = password or "" }
end

local function learn(login, remote)
  for _ = 1, 12 do report{ login = login, remote = remote or "192.0.2.10", protocol = "imap" } advance("1d") end
end

test("many passwords on one login from one place", function()
  learn("ann")
  for i = 1, 14 do fail("ann", "198.51.100.7", "p" .. i) end
  expectNoAlert()
  fail("ann", "198.51.100.7", "p15")
  local alert = expectAlert{ rule = "brute-force", key = "ann", severity = "medium", message = "15 different passwords" }
  assert(alert.value == 15 and alert.threshold == 15)
end)

test("without a hash of the password each second is a try", function()
  for _ = 1, 16 do fail("ann", "198.51.100.7") advance(1) end
  expectAlert{ rule = "brute-force", key = "ann" }
end)

test("a client with an old password at home fails for ever and nobody minds", function()
  learn("ann")
  for _ = 1, 500 do fail("ann", "192.0.2.10", "old") advance("5m") end
  for i = 1, 40 do fail("ann", "192.0.2.11", "typo" .. i) end
  expectNoAlert()
end)

test("a telephone with an old password fails in one network after the other, with one password", function()
  learn("ann")
  for i = 1, 100 do fail("ann", "203.0." .. i .. ".5", "old") advance("5m") end
  expectNoAlert()
end)

test("a botnet on one login is a distributed attack and no brute force", function()
  for i = 1, 40 do fail("ann", "203.0." .. i .. ".5", "p" .. i) advance("10m") end
  expectAlert{ rule = "distributed-attack", key = "ann", severity = "high", message = "from 40 networks" }
  expectNoAlert{ rule = "brute-force" }
end)

test("what was tried yesterday is forgotten", function()
  for i = 1, 14 do fail("ann", "198.51.100.7", "p" .. i) end
  advance("25h")
  for i = 1, 14 do fail("ann", "198.51.100.7", "q" .. i) end
  expectNoAlert{ rule = "brute-force" }
end)

test("one password on many logins from an address is a spray, of its network too once there are more", function()
  for i = 1, 9 do fail("user" .. i, "198.51.100.7", "summer") end
  expectNoAlert()
  fail("user10", "198.51.100.7", "summer")
  expectAlert{ rule = "password-spray", key = "198.51.100.7", severity = "high", message = "10 logins failed from 198%.51%.100%.7" }
  expectNoAlert{ key = "198.51.100.0/24" }
  for i = 11, 22 do fail("user" .. i, "198.51.100.8", "winter") end
  expectAlert{ rule = "password-spray", key = "198.51.100.0/24" }
  expectNoAlert{ rule = "credential-stuffing" }
  assert(expectAlert{ rule = "password-spray" }.user == "")
end)

test("a password of its own for each login is stuffing", function()
  for i = 1, 12 do fail("user" .. i, "198.51.100.7", "own" .. i) end
  expectAlert{ rule = "credential-stuffing", key = "198.51.100.7", severity = "high" }
  expectNoAlert{ rule = "password-spray" }
end)

test("an operator's network that shares the work among its addresses", function()
  fakeGeo{ ["198.0.0.0/8"] = { autonomous_system_number = 64502 } }
  for i = 1, 110 do fail("user" .. i, "198.51." .. i .. ".7", "summer") end
  expectAlert{ rule = "password-spray", key = "AS64502", message = "%(AS64502%)" }
  expectNoAlert{ key = "198.51.1.0/24" }
end)

test("a range whose networks share the work", function()
  for i = 1, 60 do fail("user" .. i, "198.51." .. i .. ".7", "summer") end
  expectAlert{ rule = "password-spray", key = "198.51.0.0/16" }
end)

test("a country in which hardly anybody logs in shares the work among its networks", function()
  fakeGeo{ ["198.0.0.0/8"] = { country_code = "EG" }, ["192.0.0.0/8"] = { country_code = "DE" } }
  for i = 1, 200 do report{ login = "user" .. i, remote = "192.0.2.10" } end
  for i = 1, 60 do fail("user" .. i, "198." .. i .. ".0.7", "summer") advance("5m") end
  expectAlert{ rule = "password-spray", key = "country EG", message = "60 logins failed from country EG" }
  forgetAlerts()
  for i = 1, 60 do fail("user" .. i, "192." .. i .. ".1.7", "typo" .. i) end
  expectNoAlert()
end)

test("an IPv6 attacker changes the address within the /64", function()
  for i = 1, 25 do fail("user" .. i, "2001:db8:1:2::" .. i, "summer") end
  expectAlert{ rule = "password-spray", key = "2001:db8:1:2::/64" }
end)

test("one try a day is found within the week", function()
  for i = 1, 19 do fail("user" .. i, "198.51.100.7", "summer") advance("8h") end
  expectNoAlert()
  for i = 20, 21 do fail("user" .. i, "198.51.100.7", "summer") end
  expectAlert{ rule = "password-spray", key = "198.51.100.7" }
end)

test("a gateway at which many log in has its share of people who mistype", function()
  for i = 1, 100 do report{ login = "user" .. i, remote = "198.51.100.7" } end
  for i = 201, 215 do fail("user" .. i, "198.51.100.7", "typo" .. i) end
  expectNoAlert()
end)

test("a login that succeeds where many fail is the worst of all", function()
  learn("ann")
  for i = 1, 12 do fail("user" .. i, "198.51.100.7", "summer") end
  report{ login = "ann", remote = "198.51.100.7" }
  local alert = expectAlert{ rule = "success-from-spraying-source", key = "ann", severity = "critical", message = "Lock the login" }
  assert(alert.data.source == "198.51.100.7" and alert.value == 12)
end)

test("a user who is at home where others are attacked from is left alone, and so is a quiet network", function()
  learn("ann")
  for i = 1, 12 do fail("user" .. i, "192.0.2.66", "summer") end
  advance("1d")
  report{ login = "ann", remote = "192.0.2.10", protocol = "pop3" }
  report{ login = "ann", remote = "203.0.113.5" }
  expectNoAlert{ rule = "success-from-spraying-source" }
end)

test("a success after many wrong passwords, all from elsewhere", function()
  learn("ann")
  for i = 1, 6 do fail("ann", "198.51.100.7", "p" .. i) end
  report{ login = "ann", remote = "198.51.100.7" }
  expectAlert{ rule = "success-after-failures", key = "ann", severity = "high", message = "after 6 different passwords" }
end)

test("with a known device it is a forgotten password, unless the country is new; at home it is nothing; few tries are nothing", function()
  fakeGeo{ ["192.0.2.0/24"] = { country_code = "DE" }, ["198.51.100.0/24"] = { country_code = "DE" },
    ["203.0.113.0/24"] = { country_code = "BR" } }
  local phone = { ["imapc.family"] = "iOS Mail" }
  for _ = 1, 12 do report{ login = "ann", device_attrs = phone, protocol = "imap" } advance("1d") end
  for i = 1, 6 do fail("ann", "198.51.100.7", "p" .. i) end
  report{ login = "ann", protocol = "pop3" }
  report{ login = "ann", remote = "198.51.100.7", device_attrs = phone }
  expectNoAlert{ rule = "success-after-failures" }
  report{ login = "ann", remote = "203.0.113.7", device_attrs = phone }
  expectAlert{ rule = "success-after-failures", severity = "low" }
  forgetAlerts()
  advance("2d")
  for i = 1, 4 do fail("ann", "203.0.113.9", "p" .. i) end
  report{ login = "ann", remote = "203.0.113.9" }
  expectNoAlert{ rule = "success-after-failures" }
end)

test("after wrong passwords the user's operator excuses an update and a silent protocol, and no new device", function()
  local function mail(version) return '"name" "Mail" "version" "' .. version .. '"' end
  for _ = 1, 12 do report{ login = "ann", device_id = mail("1.0"), protocol = "imap" } advance("1d") end
  for i = 1, 6 do fail("ann", "198.51.100.7", "p" .. i) end
  report{ login = "ann", remote = "192.0.77.1", device_id = mail("1.1"), protocol = "imap" }
  report{ login = "ann", remote = "192.0.78.1", protocol = "smtp" }
  expectNoAlert{ rule = "success-after-failures" }
  report{ login = "ann", remote = "192.0.79.1", device_attrs = { ["app.name"] = "Other Mail" }, protocol = "mobileapi" }
  expectAlert{ rule = "success-after-failures", severity = "high" }
end)

test("a new protocol or device at home is no alert unless it is asked for", function()
  for _ = 1, 12 do report{ login = "ann", protocol = "imap", device_attrs = { ["app.name"] = "A" } } advance("1d") end
  report{ login = "ann", protocol = "smtp", device_attrs = { ["app.name"] = "B" } }
  expectNoAlert()
end)

test("what the policy of the login server refused is no report about a password", function()
  for i = 1, 30 do report{ login = "user" .. i, remote = "198.51.100.7", success = false, policy_reject = true } end
  expectNoAlert()
end)
