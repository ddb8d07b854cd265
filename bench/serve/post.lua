-- Rows of the shop, another one each time. ROWS: how many a request has (one: a row that stands alone). FORM: predict or mlflow.
local rows = tonumber(os.getenv("ROWS") or "1")
local form = os.getenv("FORM") or "predict"
local seed = 1
local function row()
  seed = (seed * 1103515245 + 12345) % 2147483648
  return string.format('{"user-id": %d, "product-id": %d, "price": %.2f}', seed % 1000, seed % 50, (seed % 9000) / 100)
end
local function many()
  local all = {}
  for i = 1, rows do all[i] = row() end
  return "[" .. table.concat(all, ",") .. "]"
end
request = function()
  local body
  if form == "mlflow" then
    body = '{"dataframe_records": ' .. many() .. "}"
  elseif rows == 1 then
    body = row()
  else
    body = many()
  end
  return wrk.format("POST", nil, { ["Content-Type"] = "application/json" }, body)
end
done = function(summary, latency)
  local errors = summary.errors
  io.write(string.format("RESULT %.1f %.3f %.3f %d\n", summary.requests / summary.duration * 1e6,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000, errors.status + errors.connect + errors.read + errors.write + errors.timeout))
end
