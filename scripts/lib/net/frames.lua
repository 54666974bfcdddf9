-- SPDX-License-Identifier: MIT
-- Comparing frames byte for byte, some fields left out, and saying where two part: layer, field,
-- byte. For capture cases (case.lua) and those that make them (make.lua).
local _, native = ...

local frames = {}

local function parse(link, bytes) return native.parse(bytes, link) end

function frames.text(link, bytes) return parse(link, bytes):text() end

-- The first byte that differs, from 0; nil when there is none.
local function first_difference(a, b)
  if a == b then return nil end
  local low, high = 0, math.min(#a, #b)
  while low < high do -- a:sub(1, low) and b:sub(1, low) are equal
    local middle = (low + high + 1) // 2
    if a:sub(1, middle) == b:sub(1, middle) then low = middle else high = middle - 1 end
  end
  return low
end

-- Words of a mask as pairs of layer and field.
function frames.mask(text, raise)
  local list = {}
  for word in (text or ""):gmatch("%S+") do
    local layer, field = word:match("^([%w_]+)%.([%w_]+)$")
    local known = layer and pcall(function() return native.packet(layer, {})[layer][field] end)
    if not known then raise(("a mask is made of names like 'ip.id'; '%s' is none"):format(word)) end
    list[#list + 1] = { layer = layer, field = field }
  end
  return list
end

local summed = { "ip", "icmp", "igmp", "udp", "tcp" }

-- Checksums that hold are left out: where one differs, what it is over does too.
local function without_sums(packet)
  for _, name in ipairs(summed) do
    local layer = packet[name]
    if layer and layer.checksum_status == "good" then layer.checksum = nil end
  end
  return packet
end

-- The expected frame with the masked fields of the other one, and checksums that fit where they did.
local function masked(link, expect, got, mask)
  local want, is = parse(link, expect), parse(link, got)
  for _, m in ipairs(mask) do
    if want[m.layer] and is[m.layer] then want[m.layer][m.field] = is[m.layer][m.field] end
  end
  return without_sums(want):bytes()
end

-- Nil when the frames are equal but for masked fields; else where they part, as text.
function frames.compare(link, expect, got, mask)
  if expect == got then return nil end
  if mask and #mask > 0 then
    expect = masked(link, expect, got, mask)
    if expect == got then return nil end
  end
  local at = first_difference(expect, got)
  local where = ("first difference at byte %d of the frame"):format(at)
  if #expect ~= #got then
    where = ("%s; %d bytes expected, got %d"):format(where, #expect, #got)
  end
  local want, is = parse(link, expect), parse(link, got)
  local same, field = native.match(without_sums(want:clone()), is)
  if same then same, field = native.match(want, is) end
  if same then return where end
  return field .. "; " .. where
end

return frames
