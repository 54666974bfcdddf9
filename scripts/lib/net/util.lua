-- SPDX-License-Identifier: MIT
-- What the parts of the net library share: checks of arguments, durations, addresses, ops.
local _, native = ...
local tap = require "tap"
local near = require "near"

local util = {}

util.C = native.constants()
util.raise = native.raise

-- Refuses what a function does not know: a misspelt option must not be silently ignored.
function util.options(what, given, known)
  if given == nil then given = {} end
  if type(given) ~= "table" then util.raise(what .. ": options are given as a table") end
  for key in pairs(given) do
    if not known[key] then
      util.raise(("%s: unknown option '%s'%s"):format(what, key, near.text(key, known)))
    end
  end
  return given
end

function util.set(names)
  local result = {}
  for name in names:gmatch("[%w_]+") do result[name] = true end
  return result
end

local unit_ns = { ns = 1, us = 1000, ms = 1000000, s = 1000000000, min = 60000000000,
  h = 3600000000000 }

-- "1.5ms", "10s" or a number of ns, as ns.
function util.duration(value, what)
  if math.type(value) == "integer" and value >= 0 then return value end
  if type(value) == "string" then
    local whole, fraction, unit = value:match("^(%d+)%.?(%d*)(%a+)$")
    local ns = unit_ns[unit]
    whole = tonumber(whole)
    if ns and math.type(whole) == "integer" and whole < math.maxinteger // ns and #fraction <= 6 then
      local part = 0
      if fraction ~= "" then part = tonumber(fraction) * ns // math.tointeger(10 ^ #fraction) end
      return whole * ns + part
    end
  end
  util.raise(("%s: %s is no duration (write \"10ms\", or a number of ns)"):format(what,
    tap.repr(value)))
end

-- The bytes of an address given as text.
function util.address(text, len, what)
  local bytes = type(text) == "string" and native.address(text)
  if not bytes or #bytes ~= len then
    util.raise(("%s: %s is no %s address"):format(what, tap.repr(text), len == 6 and "MAC" or "IPv4"))
  end
  return bytes
end

-- The bytes of an IP address given as text: 4 or 16.
function util.ip_address(text, what)
  local bytes = type(text) == "string" and native.address(text)
  if not bytes or (#bytes ~= 4 and #bytes ~= 16) then
    util.raise(("%s: %s is no IPv4 or IPv6 address"):format(what, tap.repr(text)))
  end
  return bytes
end

-- The layer that carries this address: "ip" or "ip6".
function util.ip_layer(addr)
  return addr and addr:find(":", 1, true) and "ip6" or "ip"
end

-- "192.0.2.1/24" or "2001:db8::1/64" as address bytes and prefix length.
function util.prefix(text, what)
  local addr, len = tostring(text):match("^(.-)/(%d+)$")
  len = tonumber(len)
  local bytes = addr and util.ip_address(addr, what)
  if not bytes or len > 8 * #bytes then
    util.raise(("%s: %s is no ADDRESS/LENGTH"):format(what, tap.repr(text)))
  end
  return bytes, len, addr
end

function util.op(name, fields)
  local result, err = native.op(name, fields)
  if not result then util.raise(("%s: %s"):format(name, err)) end
  return result
end

return util
