-- SPDX-License-Identifier: MIT
-- RFC 4884: what an ICMP error carries behind the datagram that it is about is told to a socket with
-- IP_RECVERR_RFC4884 (Linux: struct sock_ee_data_rfc4884).
local tap = require "tap"
local net = require "net"
local station = require("suite.station").ports
local icmp, udp = net.icmp, net.udp

local INVALID = 1 -- SO_EE_RFC4884_FLAG_INVALID

-- Right as RFC 1071 has it.
local function checksum(bytes)
  local sum = 0
  for i = 1, #bytes, 2 do sum = sum + (">I2"):unpack(bytes, i) end
  while sum > 0xffff do sum = (sum & 0xffff) + (sum >> 16) end
  return ~sum & 0xffff
end

-- An extension structure: the header and one object of an MPLS label stack (RFC 4950); fields of o are wrong.
local function extension(o)
  o = o or {}
  local object = (">I2I1I1I4"):pack(o.length or 8, 1, 1, 0x12345678)
  local head = (o.version or 2) << 12
  local sum = o.no_checksum and 0 or checksum((">I2I2"):pack(head, 0) .. object) + (o.checksum or 0) & 0xffff
  return (">I2I2"):pack(head, sum) .. object .. (o.behind or "")
end

-- What the socket is told of an error whose length attribute is `words`: where in the payload the
-- extension begins, and flags.
local function told(o)
  local host, peer = station()
  local socket = host:socket "udp"
  socket:bind(7)
  socket:connect(peer.addr, peer.port)
  socket:option("IP_RECVERR", 1)
  if o.on ~= false then socket:option("IP_RECVERR_RFC4884", 1) end
  socket:send(("d"):rep(200))
  local packet = peer:expect(udp {}):bytes():sub(15)
  local quote = packet:sub(1, o.quote or 128)
  peer:send(icmp { type = o.type or "time-exceeded", code = 0, rest = (o.words or 32) << 16 } / (quote .. (o.extension or extension())))
  net.sleep "1ms"
  socket:try "recv"
  local data, info = socket:recv { flags = "errqueue" }
  return info.cmsg.IP_RECVERR.data & 0xffff, info.cmsg.IP_RECVERR.data >> 16, data
end

tap.test("an extension is told by where it begins in the payload", function(t)
  for _, kind in ipairs { 3, 11, 12 } do
    local at, flags, data = told { type = kind }
    t:is({ at, flags }, { 100, 0 }, kind)
    t:is(data:sub(1, at), ("d"):rep(100))
    t:is(data:sub(at + 1), extension())
  end
end)

tap.test("a socket that did not ask is told nothing", function(t)
  t:is({ told { on = false } }, { 0, 0, ("d"):rep(100) .. extension() })
end)

tap.test("without a length attribute, or with one below 128 octets, there is no extension", function(t)
  t:shows("RFC4884-5.4-1", t:is({ (told { words = 0 }) }, { 0 }))
  t:is({ (told { words = 31, quote = 124 }) }, { 0 })
end)

tap.test("a length attribute beyond the message: there is no extension", function(t)
  t:is({ (told { words = 34 }) }, { 108 }, "its header is the last of the message")
  t:is({ (told { words = 35 }) }, { 0 })
end)

tap.test("a bad extension is told as such", function(t)
  local function flags(o) return select(2, told { extension = extension(o) }) end
  t:shows("RFC4884-7-1", t:is(flags { checksum = 1 }, INVALID))
  t:is(flags { no_checksum = true }, 0, "none was made")
  t:is(flags { length = 3, no_checksum = true }, INVALID)
  t:is(flags { length = 9, no_checksum = true }, INVALID)
  t:is(flags { behind = "\0\0\0", no_checksum = true }, INVALID)
  t:is(flags { version = 1, checksum = 1 }, 0, "of a version that nobody knows")
end)

tap.test("IP_RECVERR_RFC4884 is 0 or 1", function(t)
  local s = net.host { up = false }:socket "udp"
  t:is(s:option "IP_RECVERR_RFC4884", 0)
  for _, value in ipairs { -1, 2 } do
    t:is(select(2, s:try("setsockopt", net.C.SOL_IP, net.C.IP_RECVERR_RFC4884, value)), "EINVAL")
  end
  s:option("IP_RECVERR_RFC4884", 1)
  t:is(s:option "IP_RECVERR_RFC4884", 1)
end)
