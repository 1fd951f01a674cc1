-- What a report says about the device behind a login.

local device = {}

-- Versions by what a device says of itself, which is a text for thousands of users. Emptied when it is full.
local versions, count = {}, 0
local MOST_VERSIONS = 5000

-- What a device is called whose protocol has a place for its name, which it leaves empty.
local UNNAMED = {}
for name, protocol in pairs { imap = "imap", imaps = "imap", http = "http", https = "http", mobileapi = "mobileapi" } do
  UNNAMED[name] = "an unnamed program by " .. protocol
end

-- What a device calls itself in the little that stays the same over its updates; "" when it says nothing and its protocol
-- has no place for that. Who keeps silent where others speak is a kind of device as well.
function device.kind(lt)
  local attrs = lt.device_attrs
  local name = attrs["browser.family"] or attrs["imapc.family"] or attrs["app.name"] or ""
  if name == "" or name == "Other" then
    return UNNAMED[lt.protocol] or ""
  end
  local system = attrs["os.family"] or ""
  return system == "" and name or name .. " on " .. system
end

function device.is_unnamed(kind) return UNNAMED.imap == kind or UNNAMED.http == kind or UNNAMED.mobileapi == kind end

-- All the numbers that it says of itself: those of its version and its system, which another copy of the same program seldom
-- has as well. "" when there are none.
function device.version(lt)
  local id = lt.device_id
  if id == "" then
    local attrs = lt.device_attrs
    return attrs["browser.major"] or attrs["imapc.major"] or attrs["app.major"] or ""
  end
  local version = versions[id]
  if version == nil then
    if count >= MOST_VERSIONS then versions, count = {}, 0 end
    version = id:sub(1, 512):gsub("[^%d.]+", " "):sub(1, 80)
    versions[id], count = version, count + 1
  end
  return version
end

return device
