-- SPDX-License-Identifier: MIT
-- A host, a station that hears its IGMP messages and asks, for the suites of this folder.
local net = require "net"
local ip, eth = net.ip, net.eth

local M = {}
M.GROUP = "239.1.2.3"

function M.station()
  local host = net.host { addr = "192.0.2.1/24" }
  local peer = host.wire:peer { addr = "192.0.2.9" }
  return host, peer, host:socket "udp"
end

local function mreq(group)
  return (">BBBB"):pack((group or M.GROUP):match "(%d+)%.(%d+)%.(%d+)%.(%d+)") .. "\192\0\2\1"
end

function M.join(s, group) s:option("IP_ADD_MEMBERSHIP", mreq(group)) end
function M.leave(s, group) s:option("IP_DROP_MEMBERSHIP", mreq(group)) end

-- What IGMP messages come within a time: { time, dst, type, ... } each.
function M.heard(peer, during)
  local list = {}
  for _, p in ipairs(peer:collect { during = during }) do
    local bytes = p:bytes()
    local body = bytes:sub(15 + p.ip.ihl * 4, 14 + p.ip.len)
    list[#list + 1] = { at = p.sent, dst = p.ip.dst, ttl = p.ip.ttl, tos = p.ip.tos, ihl = p.ip.ihl,
      options = p.ip.options, mac = p.eth.dst, type = body:byte(1), body = body }
  end
  return list
end

-- The records of a version 3 report: { type, group } each.
function M.records(m)
  local list = {}
  for i = 1, (">I2"):unpack(m.body, 7) do
    local kind, aux, n, a, b, c, d = (">BBI2BBBB"):unpack(m.body, 1 + 8 * i)
    list[i] = { kind, ("%d.%d.%d.%d"):format(a, b, c, d), aux + n }
  end
  return list
end

-- The body of a message with its checksum, unless `sum` says another one.
function M.message(kind, code, rest, sum)
  local body = (">BBI2"):pack(kind, code, 0) .. rest
  if #body % 2 == 1 then body = body .. "\0" end
  local total = 0
  for i = 1, #body, 2 do total = total + (">I2"):unpack(body, i) end
  while total > 0xffff do total = (total & 0xffff) + (total >> 16) end
  return (">BBI2"):pack(kind, code, sum or ~total & 0xffff) .. rest
end

function M.address(addr) return (">BBBB"):pack(addr:match "(%d+)%.(%d+)%.(%d+)%.(%d+)") end

-- Sends a message as routers and members do: TTL 1, Router Alert. To unicast addresses it goes by the
-- host's own MAC.
function M.send(peer, to, body, fields)
  local all = { dst = to, ttl = 1, proto = 2, options = "\x94\4\0\0" }
  for key, value in pairs(fields or {}) do all[key] = value end
  local a, b, c, d = to:match "(%d+)%.(%d+)%.(%d+)%.(%d+)"
  local mac = tonumber(a) >= 224 and ("01:00:5e:%02x:%02x:%02x"):format(tonumber(b) & 0x7f, tonumber(c), tonumber(d)) or nil
  peer:send((mac and eth{ dst = mac } or eth{}) / ip(all) / body)
end

-- A query: general, or for o.group; of version 3, or by its length of an older one. o.more is behind
-- it, o.qrv the Robustness Variable.
function M.query(peer, o)
  o = o or {}
  local rest = M.address(o.group or "0.0.0.0") .. (o.version == 3 and string.char(o.qrv or 2, 125, 0, 0) or "") .. (o.more or "")
  M.send(peer, o.to or o.group or "224.0.0.1", M.message(0x11, o.code or 100, rest, o.sum), o.fields)
end

return M
