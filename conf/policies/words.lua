-- What alerts say in the same words.

local words = {}

words.ask_user = "Ask the user; if it was somebody else, change the password and end the sessions."
words.block = "Block or slow down this source, and look at the logins that succeeded from it."

-- "DE, FR": the keys of a table, the most frequent first where the values are counts; at most five.
function words.list(set)
  local names = {}
  for name in pairs(set) do table.insert(names, name) end
  local function count(name) return type(set[name]) == "number" and set[name] or 0 end
  table.sort(names, function(a, b)
    if count(a) ~= count(b) then return count(a) > count(b) end
    return a < b
  end)
  local more = #names > 5 and " and " .. (#names - 5) .. " more" or ""
  return #names == 0 and "none" or table.concat(names, ", ", 1, math.min(#names, 5)) .. more
end

-- "40 minutes", "5 hours", "3 days"
function words.span(seconds)
  if seconds < 7200 then return string.format("%d minutes", seconds / 60) end
  if seconds < 172800 then return string.format("%d hours", seconds / 3600) end
  return string.format("%d days", seconds / 86400)
end

return words
