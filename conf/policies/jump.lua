-- A number of the whole site that is far above what is usual at this hour of the week.

local jump = {}

-- Answers what is usual when the value is far above it, else nil, and learns the value. While an attack lasts the baseline
-- learns no more than the limit, so that it does not become usual. Until the baseline knows this hour, what fallback() answers is
-- usual.
function jump.above(context, field, value, fallback, parameters)
  -- Nothing is far above anything.
  if value == 0 then
    context.site:twAdd("site", field, 0)
    return nil
  end
  local usual = context.site:twBaseline("site", field)
  local mean, stddev
  if usual and usual.samples >= parameters.samples then
    mean, stddev = usual.mean, usual.stddev
  else
    mean, stddev = fallback(), 0
  end
  if mean == nil then
    context.site:twAdd("site", field, value)
    return nil
  end
  local limit = math.max(mean + parameters.deviations * stddev, mean * parameters.factor)
  context.site:twAdd("site", field, math.min(value, limit))
  return value > limit and mean or nil
end

return jump
