-- SPDX-License-Identifier: MIT
-- Source routes and TCP (RFC 9293 3.9.2.1): what an application sets goes out with every segment, what
-- a SYN brought is turned round and used for the connection.
local tap = require "tap"
local net = require "net"
local tcp = require "suite.tcp"

local ACCEPT = {
  ["net.ipv4.conf.all.accept_source_route"] = 1,
  ["net.ipv4.conf.default.accept_source_route"] = 1,
}

local function octets(addr)
  return (addr:gsub("(%d+)%.?", function(n) return string.char(tonumber(n)) end))
end

-- A loose source route: pointer, addresses; filled up to whole words.
local function lsrr(pointer, ...)
  local hops = ""
  for _, addr in ipairs { ... } do hops = hops .. octets(addr) end
  return string.char(0x83, 3 + #hops, pointer) .. hops .. "\0"
end

-- A route through the router at 192.0.2.9 (the peer's station) to a host behind it.
local FAR <const> = "198.51.100.7"
local ROUTE <const> = lsrr(4, "192.0.2.9") -- the hops; the destination is added behind them
local SENT <const> = lsrr(4, FAR)          -- as it leaves: the first hop is the destination address

local function segment(peer, text, options, data)
  local packet = peer:segment(text, data)
  packet.ip.options = options
  return packet
end

local function connecting()
  local host = net.host { addr = "192.0.2.1/24", sysctl = ACCEPT }
  local peer = host.wire:peer { addr = "192.0.2.9", port = 4000 }
  host:neigh { addr = peer.addr, mac = peer.mac }
  local client = host:socket("tcp", { nonblock = true })
  client:option("IP_OPTIONS", ROUTE)
  client:try("connect", FAR, 4000)
  local syn = peer:expect "S 0:0(0)"
  return host, peer, client, syn
end

-- The sum of a segment is over the ultimate destination's address, not the next hop's.
local function segment_sum(frame, destination)
  local from = 15 + frame.ip.ihl * 4
  local bytes = frame:bytes():sub(from, 14 + frame.ip.len)
  local all = octets(frame.ip.src) .. octets(destination) .. (">I2I2"):pack(6, #bytes) .. bytes
  if #all % 2 == 1 then all = all .. "\0" end
  local total = 0
  for i = 1, #all, 2 do total = total + (">I2"):unpack(all, i) end
  while total > 0xffff do total = (total & 0xffff) + (total >> 16) end
  return total
end

tap.test("an active open takes the application's source route", function(t)
  local _, _, _, syn = connecting()
  t:shows("RFC9293-MUST-51", t:is({ syn.ip.dst, syn.ip.options }, { "192.0.2.9", SENT }))
  t:shows("RFC1122-4.2.3.8-4", t:is(segment_sum(syn, FAR), 0xffff))
end)

tap.test("the route of the SYN,ACK does not take the place of the application's", function(t)
  local _, peer, client = connecting()
  local answer = segment(peer, "S. 0:0(0) ack 1 win 65535 <mss 1460>", lsrr(8, "192.0.2.77"))
  answer.ip.src = FAR
  peer:send(answer)
  local ack = peer:expect ". 1:1(0) ack 1"
  t:is(client:info().state, "ESTABLISHED")
  client:send "x"
  local data = peer:expect "P. 1:2(1) ack 1"
  t:shows("RFC9293-MUST-52", t:shows("RFC1122-4.2.3.8-5",
    t:is({ ack.ip.dst, ack.ip.options, data.ip.dst, data.ip.options },
      { "192.0.2.9", SENT, "192.0.2.9", SENT })))
end)

-- A SYN of FAR that came by two routers; the last one is the peer's station.
local function passive()
  local host = net.host { addr = "192.0.2.1/24", gateway = "192.0.2.254", sysctl = ACCEPT }
  local peer = host.wire:peer { addr = "192.0.2.9", port = 4000 }:to(80)
  host:neigh { addr = peer.addr, mac = peer.mac }
  local server = host:socket "tcp":listen(80)
  local syn = segment(peer, "S 0:0(0) win 65535 <mss 1460>", lsrr(12, "203.0.113.1", "192.0.2.9"))
  syn.ip.src = FAR
  peer:send(syn)
  return host, peer, server, peer:expect "S. 0:0(0) ack 1"
end

-- The route back: from the station by the router it had come through to the one who asked.
local BACK <const> = lsrr(4, "203.0.113.1", FAR)

local function far(peer, text, data)
  local packet = segment(peer, text, lsrr(12, "203.0.113.1", "192.0.2.9"), data)
  packet.ip.src = FAR
  return packet
end

tap.test("a passive open sends all segments back by the route of the SYN", function(t)
  local _, peer, server, synack = passive()
  t:is({ synack.ip.dst, synack.ip.options }, { "192.0.2.9", BACK })
  peer:send(far(peer, ". 1:1(0) ack 1 win 65535"))
  local conn = server:accept()
  peer:send(far(peer, "P. 1:11(10) ack 1 win 65535"))
  local ack = peer:expect(". 1:1(0) ack 11", { within = "1s" })
  conn:send "x"
  local data = peer:expect "P. 1:2(1) ack 11"
  local again = peer:expect("P. 1:2(1) ack 11", { within = "2s" })
  local routes = {}
  for i, frame in ipairs { ack, data, again } do
    routes[i] = frame.ip.dst .. frame.ip.options
  end
  local back = "192.0.2.9" .. BACK
  t:shows("RFC9293-MUST-53", t:shows("RFC1122-4.2.3.8-6", t:is(routes, { back, back, back })))
  conn:option("SO_LINGER", { 1, 0 })
  conn:close()
  local reset = peer:expect "R. 2:2(0) ack 11"
  t:is(reset.ip.dst .. reset.ip.options, back)
end)

-- Linux keeps the SYN's route for the life of the connection (RFC 9293 SHLD-24 would take the later).
tap.test("a route that a later segment brings does not take the place of the SYN's", function(t)
  local _, peer, server = passive()
  peer:send(far(peer, ". 1:1(0) ack 1 win 65535"))
  local conn = server:accept()
  local other = segment(peer, "P. 1:11(10) ack 1 win 65535", lsrr(12, "203.0.113.2", "192.0.2.9"))
  other.ip.src = FAR
  peer:send(other)
  peer:expect(". 1:1(0) ack 11", { within = "1s" })
  conn:send "x"
  t:is(peer:expect("P. 1:2(1) ack 11").ip.options, BACK)
end)

tap.test("a host that accepts no source routes drops the SYN", function(t)
  local host = net.host { addr = "192.0.2.1/24", sysctl = { ["net.ipv4.conf.all.accept_source_route"] = 0 } }
  local peer = host.wire:peer { addr = "192.0.2.9", port = 4000 }:to(80)
  host:neigh { addr = peer.addr, mac = peer.mac }
  host:socket "tcp":listen(80)
  peer:send(segment(peer, "S 0:0(0) win 65535", lsrr(8, "203.0.113.1")))
  peer:expect_nothing { during = "1s" }
  t:is(host:counter "TcpInSegs", 0)
end)
