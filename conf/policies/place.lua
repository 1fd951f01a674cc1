-- Where an address is, as far as the databases of trackalert.conf know. Each is asked when a rule first wants to know.

local place = {}

-- Databases by name.
local opened = {}
local function database(name)
  local db = opened[name]
  if db == nil then
    db = getGeoIP2DB(name)
    opened[name] = db
  end
  return db
end

function place.country(address, common)
  if common.country_db == "" then return "" end
  return database(common.country_db):lookupCountry(address)
end

-- Latitude and longitude with the name of the place; nil when no database of cities knows it. The middle of a country is
-- no place: distances from it say nothing.
function place.city(address, common)
  if common.city_db == "" then return nil end
  local db = database(common.city_db)
  local record = db:lookupCity(address)
  if record.city == "" then return nil end
  return {
    name = record.city .. ", " .. record.country_code,
    latitude = record.latitude,
    longitude = record.longitude,
    radius_km = db:lookupUIntValue(address, { "location", "accuracy_radius" }),
  }
end

-- The number of the network, "AS64500"; "" when it is not known.
function place.network(address, common)
  if common.network_db == "" then return "" end
  local number = database(common.network_db):lookupUIntValue(address, { "autonomous_system_number" })
  return number == 0 and "" or "AS" .. string.format("%d", number)
end

-- Whether a database says that people come out there who are somewhere else.
function place.is_anonymous(address, common)
  if common.anonymiser_db == "" then return false end
  local db = database(common.anonymiser_db)
  for _, flag in ipairs { "is_anonymous", "is_anonymous_vpn", "is_hosting_provider", "is_public_proxy", "is_tor_exit_node" } do
    if db:lookupBoolValue(address, { flag }) then return true end
  end
  return false
end

-- By the name that reports use. Emptied when it is full.
local protocols, count = {}, 0
local MOST_PROTOCOLS = 100

-- A protocol without its encryption: imaps is imap.
function place.protocol(name)
  local protocol = protocols[name]
  if protocol == nil then
    if count >= MOST_PROTOCOLS then protocols, count = {}, 0 end
    protocol = name:lower():gsub("^(%a+[^s])s$", "%1")
    protocols[name], count = protocol, count + 1
  end
  return protocol
end

-- "192.0.2.1 (DE, AS64500)"
function place.describe(address, common)
  local words = {}
  for _, word in ipairs { place.country(address, common), place.network(address, common) } do
    if word ~= "" then table.insert(words, word) end
  end
  local text = address:tostring()
  return #words == 0 and text or text .. " (" .. table.concat(words, ", ") .. ")"
end

-- Of a context, made once.
function place.where(context)
  local text = context.where_text
  if text == nil then
    text = place.describe(context.remote, context.common)
    context.where_text = text
  end
  return text
end

return place
