-- SPDX-License-Identifier: MIT
-- RFC 6864: the identification field.
local tap = require "tap"
local net = require "net"
local stations = require "suite.station"
local ip, icmp, udp = net.ip, net.icmp, net.udp

local function station(o)
  local host, peer = stations.pair(o)
  return host, peer, host:socket "udp"
end

tap.test("datagrams to one destination in one instant have identifications that follow each other",
  function(t)
    local _, peer, socket = station()
    local last
    for _ = 1, 10 do
      socket:sendto(("f"):rep(2000), peer.addr, 9)
      local frames = { peer:expect(ip{ mf = true }), peer:expect(ip{ mf = false }) }
      t:is(frames[1].ip.id, frames[2].ip.id)
      if last then t:shows("RFC6864-4.3-1", t:is(frames[1].ip.id, (last + 1) & 0xffff)) end
      last = frames[1].ip.id
    end
  end)

tap.test("identifications of other destinations do not show from each other", function(t)
  local host, peer, socket = station()
  local other = host.wire:peer { addr = "192.0.2.10" }
  host:neigh { addr = other.addr, mac = other.mac }
  local function id(to)
    socket:sendto("x", to.addr, 9)
    return to:expect(udp{ dport = 9 }).ip.id
  end
  local a = id(peer)
  for _ = 1, 5 do id(other) end
  t:is(id(peer), (a + 1) & 0xffff, "five datagrams to another host have moved nothing")
end)

tap.test("a datagram copied keeps no identification: each of a socket's has its own", function(t)
  local _, peer, socket = station()
  socket:connect(peer.addr, 9)
  local seen = {}
  for _ = 1, 20 do
    socket:send "same"
    local id = peer:expect(udp{ dport = 9 } / "same").ip.id
    t:shows("RFC6864-4.2-1", t:ok(not seen[id]))
    seen[id] = true
  end
end)

tap.test("the identification of an atomic datagram is ignored", function(t)
  local host, peer = station()
  for seq = 1, 3 do
    peer:send(ip{ id = 7, df = true } / icmp{ type = "echo", id = 1, seq = seq })
    t:shows("RFC6864-4.1-3", peer:expect(icmp{ type = "echo-reply", seq = seq }))
  end
  t:is(host:counter("IpReasmReqds"), 0)
end)

tap.test("two seeds, two series: identifications are keyed", function(t)
  local first, second = {}, {}
  for _, ids in ipairs { first, second } do
    local _, peer, socket = station()
    for i = 1, 4 do
      socket:sendto("x", peer.addr, 9)
      ids[i] = peer:expect(udp{ dport = 9 }).ip.id
    end
  end
  t:isnt(first, second, "two hosts of one world have keys of their own")
end)
