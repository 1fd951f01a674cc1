-- impossible-travel: two logins of a user from places that nobody gets between in that time.

local familiar = require "policies.familiar"
local place = require "policies.place"
local spread = require "policies.spread"
local words = require "policies.words"

local rule = { name = "impossible-travel", on = "success" }

rule.parameters = {
  severity = "high",
  speed_kmh = 900,   -- faster than an airliner
  distance_km = 500, -- nearer places are noise of the database
}

function rule.check(lt, context, parameters)
  local common = context.common
  -- Nothing further is asked where no places are known.
  if common.city_db == "" or familiar.is_home(context) then return end
  local last = familiar.last(context)
  if last == nil or familiar.device(context) == "own" then return end
  local before = newCA((last.item:gsub("/.*", "")))
  local from, to = place.city(before, common), place.city(lt.remote, common)
  if from == nil or to == nil then return end
  local distance = geoDistance(from, to) - from.radius_km - to.radius_km
  if distance < parameters.distance_km then return end
  local seconds = math.max(context.now - last.last, 1)
  local speed = distance * 3600 / seconds
  if speed < parameters.speed_kmh then return end
  -- Where an anonymiser or everybody is, the person need not be.
  if place.is_anonymous(before, common) or place.is_anonymous(lt.remote, common) then return end
  if spread.is_common(context) then return end
  raiseAlert {
    rule = rule.name, parameters = parameters,
    key = lt.login, severity = parameters.severity, dedup = "1d", value = math.floor(speed),
    threshold = parameters.speed_kmh,
    message = string.format("%s logged in from %s, %s, %s after a login from %s, %s: at least %d km, or %d km/h. %s", lt.login,
      to.name, context:where(), words.span(seconds), from.name, last.item, distance, speed, words.ask_user),
    data = { from = from.name, to = to.name, distance_km = math.floor(distance), from_network = last.item,
      to_network = context.prefix },
  }
end

return rule
