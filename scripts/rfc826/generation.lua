-- SPDX-License-Identifier: MIT
-- RFC 826, Packet Generation: the request, and what waits for its answer.
local tap = require "tap"
local net = require "net"
local eth, ip, udp, arp = net.eth, net.ip, net.udp, net.arp

local function station()
  local host = net.host { addr = "192.0.2.1/24" }
  local peer = host.wire:peer { addr = "192.0.2.9", arp = false }
  return host, peer
end

tap.test("a datagram to an unknown neighbour makes a broadcast request with all fields", function(t)
  local host, peer = station()
  host:socket "udp":sendto("x", peer.addr, 9)
  local request = peer:expect(eth{ dst = "ff:ff:ff:ff:ff:ff", src = host.mac, type = 0x0806 } /
    arp{ htype = 1, ptype = 0x0800, hlen = 6, plen = 4, op = 1, sha = host.mac, spa = host.addr,
      tha = "00:00:00:00:00:00", tpa = peer.addr })
  t:shows("RFC826-Generation-1", t:is(#request:bytes(), 60))
  peer:send(arp{ op = "reply" })
  t:shows("RFC826-Generation-2", peer:expect(eth{ dst = peer.mac } / ip{} / udp{ dport = 9 } / "x"))
end)

tap.test("the request is for the gateway when the destination is not on the link", function(t)
  local host = net.host { addr = "192.0.2.1/24", gateway = "192.0.2.254" }
  local router = host.wire:peer { addr = "192.0.2.254", arp = false }
  host:socket "udp":sendto("x", "203.0.113.5", 9)
  t:shows("RFC826-Generation-1", router:expect(arp{ op = 1, tpa = "192.0.2.254" }))
  router:send(arp{ op = "reply" })
  router:expect(eth{ dst = router.mac } / ip{ dst = "203.0.113.5" } / udp{ dport = 9 })
end)

tap.test("all that waits goes out in order when the answer comes", function(t)
  local host, peer = station()
  local socket = host:socket "udp"
  for i = 1, 5 do socket:sendto("n" .. i, peer.addr, 9) end
  peer:expect(arp{ op = "request" })
  peer:expect_nothing { during = "500ms" }
  peer:send(arp{ op = "reply" })
  for i = 1, 5 do peer:expect(udp{ dport = 9 } / ("n" .. i)) end
  t:is(host:drops("NEIGH_QUEUEFULL"), 0)
end)

tap.test("no request for a broadcast or group address", function(t)
  local host, peer = station()
  host:route { dst = "224.0.0.0/4", dev = 1 + 1 }
  local socket = host:socket "udp"
  socket:option("SO_BROADCAST", 1)
  socket:sendto("b", "192.0.2.255", 9)
  peer:expect(eth{ dst = "ff:ff:ff:ff:ff:ff" } / ip{ dst = "192.0.2.255" } / udp{ dport = 9 })
  socket:sendto("m", "239.129.2.3", 9)
  local frame = peer:expect(ip{ dst = "239.129.2.3", ttl = 1 } / udp{ dport = 9 })
  t:shows("RFC1112-6.4-1", t:is(frame.eth.dst, "01:00:5e:01:02:03"))
  t:is(host:counter("arp_cache.rcv_probes_mcast"), 0)
end)

tap.test("a changed hardware address forgets all neighbours", function(t)
  local host, peer = station()
  peer:send(arp{ op = "request" })
  peer:expect(arp{ op = "reply" })
  host:link { address = "02:00:00:00:cc:cc" }
  host:socket "udp":sendto("x", peer.addr, 9)
  local request = peer:expect(eth{ src = "02:00:00:00:cc:cc" } /
    arp{ op = "request", sha = "02:00:00:00:cc:cc", tpa = peer.addr }, { within = "1us" })
  t:is(request.arp.sha, "02:00:00:00:cc:cc")
  peer:collect { during = "5s" }
end)
