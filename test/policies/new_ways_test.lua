-- Rules about a login that succeeds in a way that is new for its user.

local pack = require "policies.pack"
pack.setup {
  common = { device_attr = "cookie", city_db = "Geo", network_db = "Geo", anonymiser_db = "Geo" },
  ["new-device"] = { at_home = true },
  ["new-protocol"] = { at_home = true },
  ["unusual-hour"] = { least_logins = 30 },
}
setReport(pack.report)

local MAIL = '"name" "Thunderbird" "version" "'
local THUNDERBIRD = { ["imapc.family"] = "Thunderbird", ["os.family"] = "Windows" }
local IPHONE = { ["imapc.family"] = "iOS Mail" }
local HOME, NEAR, ABROAD = "192.0.2.10", "192.0.3.10", "198.51.100.7"

local function places()
  fakeGeo {
    ["192.0.2.0/24"] = { country_code = "DE", city = "Berlin", latitude = 52.5, longitude = 13.4, autonomous_system_number = 64500 },
    ["192.0.3.0/24"] = { country_code = "DE", city = "Potsdam", latitude = 52.4, longitude = 13.1, autonomous_system_number = 64500 },
    ["198.51.100.0/24"] = { country_code = "BR", city = "Recife", latitude = -8, longitude = -34.9, autonomous_system_number = 64501,
      location = { accuracy_radius = 100 } },
  }
end

local function login(fields)
  local all = { login = "ann", remote = HOME, protocol = "imaps", device_attrs = THUNDERBIRD }
  for name, value in pairs(fields or {}) do all[name] = value end
  return report(all)
end

-- A user who is known: a login each morning from home.
local function learn(days)
  places()
  advance("9h")
  for _ = 1, days or 12 do login() advance("1d") end
  expectNoAlert()
end

test("a known user in a new country: the message has both countries, the address and what to do", function()
  learn()
  login{ remote = ABROAD, device_attrs = {} }
  local alert = expectAlert{ rule = "new-country", key = "ann", severity = "medium", count = 1 }
  assert(alert.message == "ann logged in from 198.51.100.7 (BR, AS64501), a country that is new for this user; usual: DE. "
    .. "Ask the user; if it was somebody else, change the password and end the sessions.", alert.message)
  assert(alert.data.country == "BR" and alert.user == "ann")
  forgetAlerts()
  advance("2d")
  login{ remote = ABROAD }
  expectNoAlert{ rule = "new-country" }
end)

-- As learn(), with what the programs say in full.
local function learn_ids(hours)
  places()
  advance("9h")
  for _ = 1, 12 do login{ device_attrs = {}, device_id = MAIL .. "140.0\"" } advance("1d") end
  advance(hours)
  expectNoAlert()
end

test("a known device in a new country has most likely been taken along", function()
  learn()
  login{ remote = ABROAD }
  expectNoAlert{ rule = "new-country" }
end)

test("a known version of a known program in a new country says nothing either", function()
  learn_ids("1d")
  login{ remote = ABROAD, device_attrs = {}, device_id = MAIL .. "140.0\"" }
  expectNoAlert{ rule = "new-country" }
end)

test("with another version of a known program it may be somebody else's", function()
  learn_ids("1d")
  login{ remote = ABROAD, device_attrs = {}, device_id = MAIL .. "139.0\"" }
  expectAlert{ rule = "new-country", severity = "low", message = "new for this user, with another version of Thunderbird; usual: DE" }
  expectNoAlert{ rule = "new-device" }
end)

test("nobody is abroad so soon after a login from a network of their own", function()
  learn()
  login()
  advance("2h")
  login{ remote = ABROAD }
  expectAlert{ rule = "new-country", severity = "low", message = "new for this user, 2 hours after a login from 192%.0%.2%.0/24; usual: DE" }
end)

test("a network that is not the user's usual one, or everybody's, says nothing about where somebody is", function()
  learn()
  login{ remote = NEAR }
  login{ remote = ABROAD }
  expectNoAlert{ rule = "new-country" }
  for i = 1, 30 do login{ login = "user" .. i } end
  for _ = 1, 12 do login{ login = "bob" } advance("1d") end
  for i = 1, 30 do login{ login = "user" .. i } end
  login{ login = "bob" }
  login{ login = "bob", remote = ABROAD }
  expectNoAlert{ rule = "new-country" }
end)

test("after a week of silence a new country is worth a look", function()
  learn()
  advance("7d")
  login{ remote = ABROAD }
  expectAlert{ rule = "new-country", severity = "low", message = "new for this user, after 8 days without a login; usual: DE" }
end)

test("travellers, shared networks and anonymisers raise nothing with a known device", function()
  fakeGeo{ ["192.0.2.0/24"] = { country_code = "DE" }, ["198.51.100.0/24"] = { country_code = "BR" },
    ["203.0.113.0/24"] = { country_code = "CL" }, ["198.18.0.0/16"] = { country_code = "AR" },
    ["198.19.0.0/16"] = { country_code = "UY", is_anonymous_vpn = true } }
  for _ = 1, 12 do login() login{ login = "bob" } login{ login = "eve" } advance("1d") end
  login{ login = "ann" } login{ login = "bob" } login{ login = "eve" }
  for i = 1, 3 do login{ login = "user" .. i, remote = ABROAD } end
  login{ remote = ABROAD }
  login{ login = "bob", remote = "198.19.0.1" }
  expectNoAlert{ rule = "new-country" }
  for _, country in ipairs { "203.0.113.5", "198.18.0.5" } do
    advance("1d")
    login{ login = "eve" }
    login{ login = "eve", remote = country }
  end
  expectAlert{ rule = "new-country", key = "eve", count = 1 }
  forgetAlerts()
  advance("2d")
  fakeGeo{ ["192.0.2.0/24"] = { country_code = "DE" }, ["198.20.0.0/16"] = { country_code = "PE" } }
  login{ login = "eve" }
  login{ login = "eve", remote = "198.20.0.5" }
  expectNoAlert()
end)

test("a device that the sender knows by its identity is the user's own, wherever it is", function()
  places()
  advance("9h")
  for _ = 1, 12 do login{ attrs = { cookie = "c1" }, device_attrs = {}, device_id = MAIL .. "140.0\"" } advance("1d") end
  advance("8d")
  login{ remote = ABROAD, attrs = { cookie = "c1" }, device_attrs = IPHONE }
  expectNoAlert()
  advance("1d")
  login{ attrs = { cookie = { "c1" } }, remote = "203.0.113.7", device_attrs = IPHONE }
  expectNoAlert{ rule = "new-country" }
  advance("1d")
  fakeGeo{ ["203.0.114.0/24"] = { country_code = "JP" } }
  login{ remote = "203.0.114.7", attrs = { cookie = "c2" }, device_attrs = { ["app.name"] = "Mail" } }
  expectAlert{ rule = "new-country", severity = "medium" }
end)

test("nobody has to travel whose own device is elsewhere", function()
  places()
  advance("9h")
  for _ = 1, 12 do login{ attrs = { cookie = "c1" } } advance("1d") end
  login{ attrs = { cookie = "c1" } }
  login{ attrs = { cookie = "c1" }, remote = ABROAD }
  expectNoAlert()
end)

test("another version is an update where the operator is the user's, and a new device elsewhere", function()
  learn_ids("1h")
  login{ remote = NEAR, device_attrs = {}, device_id = MAIL .. "141.0\"" }
  expectNoAlert()
  advance("1d")
  fakeGeo{ ["0.0.0.0/0"] = { country_code = "DE", autonomous_system_number = 64509 } }
  login{ remote = "203.0.113.7", device_attrs = {}, device_id = MAIL .. "141.0\"" }
  expectNoAlert()
  login{ remote = "203.0.113.8", device_attrs = {}, device_id = MAIL .. "139.0\"" }
  expectNoAlert()
  advance("1h")
  fakeGeo{ ["0.0.0.0/0"] = { country_code = "DE", autonomous_system_number = 64510 } }
  login{ remote = "203.0.114.8", device_attrs = {}, device_id = MAIL .. "138.0\"" }
  expectAlert{ rule = "new-device", severity = "low", message = "Thunderbird, which is new for this user in this version, from " }
end)

test("a program without a name is a device of its own, but for that of a gateway", function()
  learn()
  login{ remote = NEAR, device_attrs = {} }
  expectAlert{ rule = "new-device", severity = "medium", message = "an unnamed program by imap, which is new" }
  forgetAlerts()
  -- Of somebody who uses one it is known.
  for _ = 1, 12 do login{ login = "eve" } login{ login = "eve", device_attrs = {} } advance("1d") end
  forgetAlerts()
  login{ login = "eve", remote = NEAR, device_attrs = {} }
  expectNoAlert()
  -- The gateway is everybody's after the first hour.
  for _ = 1, 12 do
    login{ login = "bob" }
    login{ login = "bob", remote = "203.0.113.77", device_attrs = {} }
    for i = 1, 20 do login{ login = "user" .. i, remote = "203.0.113.77", device_attrs = {} } end
    advance("1d")
  end
  forgetAlerts()
  login{ login = "bob", remote = NEAR, device_attrs = {} }
  expectAlert{ rule = "new-device", key = "bob", severity = "low" }
end)

test("a user who is not known yet raises nothing, wherever from and with whatever", function()
  places()
  for day = 1, 5 do
    login{ remote = day % 2 == 0 and ABROAD or HOME, protocol = "p" .. day, device_attrs = { ["app.name"] = "App" .. day } }
    advance("1d")
  end
  expectNoAlert{ rule = "new-country" }
  expectNoAlert{ rule = "new-device" }
  expectNoAlert{ rule = "new-protocol" }
end)

test("a user is known after fourteen days too, however few the logins", function()
  places()
  login()
  advance("15d")
  login{ remote = ABROAD }
  expectAlert{ rule = "new-country" }
end)

test("ten logins within a day do not make a user known: a mail program logs in every few minutes", function()
  places()
  for _ = 1, 40 do login() advance("20m") end
  login{ remote = ABROAD, device_attrs = IPHONE, protocol = "pop3" }
  expectNoAlert{ rule = "new-country" }
  expectNoAlert{ rule = "new-device" }
  expectNoAlert{ rule = "new-protocol" }
end)

test("an unknown country says nothing, nor does a first known one", function()
  advance("9h")
  for _ = 1, 12 do login() advance("1d") end
  login{ remote = ABROAD }
  places()
  login{ remote = "198.51.100.8" , protocol = "pop3" }
  expectNoAlert{ rule = "new-country" }
end)

test("an anonymiser abroad is of little weight, and nobody has travelled to it", function()
  learn()
  fakeGeo{ ["198.51.100.0/24"] = { country_code = "BR", city = "Recife", latitude = -8, longitude = -34.9, is_hosting_provider = true } }
  login{ remote = ABROAD, device_attrs = {} }
  expectAlert{ rule = "new-country", severity = "low" }
  expectNoAlert{ rule = "impossible-travel" }
end)

test("a network that many users share is of little weight, and nobody has travelled to it", function()
  learn()
  for i = 1, 30 do login{ login = "user" .. i, remote = ABROAD } end
  login{ remote = ABROAD, device_attrs = {} }
  expectAlert{ rule = "new-country", key = "ann", severity = "low" }
  expectNoAlert{ rule = "impossible-travel", key = "ann" }
end)

test("a new device from a new network", function()
  learn()
  login{ remote = NEAR, device_attrs = IPHONE }
  expectAlert{ rule = "new-device", severity = "medium", message = "iOS Mail, which is new .* usual: Thunderbird on Windows%. Ask" }
end)

test("a new device at home is low, where it is asked for", function()
  learn()
  login{ device_attrs = IPHONE }
  expectAlert{ rule = "new-device", severity = "low" }
end)

test("a device that many users have is low", function()
  learn()
  for i = 1, 30 do login{ login = "user" .. i, remote = "203.0.113." .. i, device_attrs = IPHONE } end
  login{ remote = NEAR, device_attrs = IPHONE }
  expectAlert{ rule = "new-device", key = "ann", severity = "low" }
end)

test("a first device is none that is new, and one that says nothing is none", function()
  learn()
  login{ remote = NEAR, protocol = "smtp", device_attrs = { ["browser.family"] = "Other" } }
  expectNoAlert{ rule = "new-device" }
  for _ = 1, 12 do login{ login = "bob", device_attrs = {} } advance("1d") end
  login{ login = "bob", remote = NEAR }
  expectNoAlert{ rule = "new-device" }
end)

test("a browser is a device by its name, whatever the version", function()
  local function firefox(version)
    return "Mozilla/5.0 (X11; Linux x86_64; rv:" .. version .. ") Gecko/20100101 Firefox/" .. version
  end
  places()
  for day = 1, 12 do login{ protocol = "http", device_attrs = {}, device_id = firefox(100 + day .. ".0") } advance("1d") end
  login{ protocol = "https", remote = NEAR, device_attrs = {}, device_id = firefox("130.0") }
  expectNoAlert()
end)

test("the first POP3 login ever: medium from elsewhere, info at home, and encryption makes no other protocol", function()
  learn()
  login{ protocol = "imap" }
  expectNoAlert()
  login{ protocol = "pop3s" }
  expectAlert{ rule = "new-protocol", severity = "info", message = "by pop3s for the first time, .*usual: imap%." }
  forgetAlerts()
  login{ protocol = "smtp", remote = NEAR }
  expectAlert{ rule = "new-protocol", severity = "medium" }
  forgetAlerts()
  login{ protocol = "", remote = NEAR }
  expectNoAlert{ rule = "new-protocol" }
end)

test("two logins that nobody can travel between: both ends, distance and speed are in the message", function()
  learn()
  login()
  advance("1h")
  login{ remote = ABROAD }
  local alert = expectAlert{ rule = "impossible-travel", key = "ann", severity = "high" }
  assert(alert.message:find("from Recife, BR, 198.51.100.7 %(BR, AS64501%), 60 minutes after a login from Berlin, DE, 192.0.2.0/24: at least 80%d%d km"),
    alert.message)
  assert(alert.value > 7900 and alert.threshold == 900)
end)

test("who had the time to fly there has travelled", function()
  learn()
  login()
  advance("14h")
  login{ remote = ABROAD }
  expectNoAlert{ rule = "impossible-travel" }
end)

test("who has not moved far has not travelled", function()
  learn()
  login()
  login{ remote = NEAR }
  expectNoAlert{ rule = "impossible-travel" }
end)

test("a place that is only a country, or a network that is known, is no travel", function()
  learn()
  fakeGeo{ ["198.51.100.0/24"] = { country_code = "BR" } }
  login{ remote = ABROAD }
  expectNoAlert{ rule = "impossible-travel" }
  places()
  advance("1h")
  login()
  advance("10m")
  login{ remote = ABROAD }
  expectNoAlert{ rule = "impossible-travel" }
end)

test("an account that wakes after a long time, at home and elsewhere", function()
  learn()
  advance("100d")
  login()
  expectAlert{ rule = "dormant-account", severity = "info" }
  forgetAlerts()
  advance("89d")
  login{ remote = NEAR }
  expectNoAlert{ rule = "dormant-account" }
  advance("6d")
  login{ remote = "203.0.113.9" }
  expectNoAlert{ rule = "dormant-account" }
  advance("8d")
  login{ remote = "203.0.114.9" }
  expectNoAlert{ rule = "dormant-account" }
  advance("8d")
  login{ remote = "203.1.114.9", device_attrs = IPHONE }
  expectNoAlert{ rule = "dormant-account" }
  advance("8d")
  login{ remote = "203.2.114.9" }
  expectAlert{ rule = "dormant-account", severity = "low", message = "not used for 8 days .*before: 203%.1%.114%.0/24" }
  forgetAlerts()
  advance("1d")
  login{ remote = NEAR }
  advance("91d")
  login{ remote = ABROAD }
  local alert = expectAlert{ rule = "dormant-account", severity = "medium", message = "not used for 91 days .*before: 192%.0%.3%.0/24" }
  assert(alert.value == 91)
end)

test("an hour at which the user is never there, from a new network only", function()
  learn(35)
  advance("17h")
  login()
  expectNoAlert()
  advance("1d")
  login{ remote = NEAR }
  expectNoAlert{ rule = "unusual-hour" }
end)

test("an unusual hour from a new network, with a device that is new too", function()
  learn(35)
  advance("18h")
  login{ remote = NEAR, device_attrs = IPHONE }
  expectAlert{ rule = "unusual-hour", severity = "low", message = "at 3 o'clock from .* of 35 earlier logins 0 were near" }
end)

test("an unusual hour after an update is none where the user has been before", function()
  places()
  advance("9h")
  for _ = 1, 35 do
    for _, name in ipairs { "ann", "bob" } do login{ login = name, device_attrs = {}, device_id = MAIL .. "140.0\"" } end
    advance("1d")
  end
  advance("18h")
  login{ remote = NEAR, device_attrs = {}, device_id = MAIL .. "141.0\"" }
  expectNoAlert()
  login{ login = "bob", remote = "203.0.113.9", device_attrs = {}, device_id = MAIL .. "139.0\"" }
  expectAlert{ rule = "unusual-hour", key = "bob" }
end)

test("an unusual hour with a known device is a journey", function()
  learn(35)
  advance("18h")
  login{ remote = NEAR }
  expectNoAlert{ rule = "unusual-hour" }
end)

test("a usual hour, around midnight too, says nothing; nor do hours in a shared network or of few logins", function()
  places()
  advance("23h")
  for _ = 1, 35 do login() advance("1d") end
  advance("1h")
  login{ remote = NEAR, device_attrs = IPHONE }
  expectNoAlert{ rule = "unusual-hour" }
  advance("12h")
  for i = 1, 30 do login{ login = "user" .. i, remote = ABROAD } end
  login{ remote = ABROAD, device_attrs = {} }
  expectNoAlert{ rule = "unusual-hour" }
end)
