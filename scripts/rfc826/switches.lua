-- SPDX-License-Identifier: MIT
-- Linux's switches of ARP: what a request says of the host, whom it answers, what it forgets.
local tap = require "tap"
local net = require "net"
local eth, ip, udp, arp = net.eth, net.ip, net.udp, net.arp

local BROADCAST = "ff:ff:ff:ff:ff:ff"

-- Two networks on one wire, and a third on a second card.
local function station(sysctl)
  local host = net.host { addr = { "192.0.2.1/24", "198.51.100.1/24" }, sysctl = sysctl }
  local peer = host.wire:peer { addr = "192.0.2.9", arp = false }
  return host, peer
end

tap.test("arp_announce = 0: the request names the source of the datagram that waits", function(t)
  local host, peer = station()
  local socket = host:socket "udp"
  socket:bind("192.0.2.1", 0)
  socket:sendto("x", peer.addr, 9)
  t:ok(peer:expect(arp{ op = "request", spa = "192.0.2.1", tpa = peer.addr }))
  peer:collect { during = "5s" }
end)

for level = 1, 2 do
  tap.test(("arp_announce = %d: a source of another network is not named"):format(level), function(t)
    local host, peer = station { ["net.ipv4.conf.all.arp_announce"] = level }
    local socket = host:socket "udp"
    socket:bind("198.51.100.1", 0)
    socket:sendto("x", peer.addr, 9)
    t:ok(peer:expect(arp{ op = "request", spa = "192.0.2.1", tpa = peer.addr }))
    peer:collect { during = "5s" }
  end)
end

tap.test("arp_announce = 0: a source of another network is named", function(t)
  local host, peer = station()
  local socket = host:socket "udp"
  socket:bind("198.51.100.1", 0)
  socket:sendto("x", peer.addr, 9)
  t:ok(peer:expect(arp{ op = "request", spa = "198.51.100.1", tpa = peer.addr }))
  peer:collect { during = "5s" }
end)

tap.test("arp_announce = 1: of two addresses of the network that of the datagram is named", function(t)
  local host, peer = station { ["net.ipv4.conf.all.arp_announce"] = 1 }
  host:addr_add("192.0.2.2/24")
  local socket = host:socket "udp"
  socket:bind("192.0.2.2", 0)
  socket:sendto("x", peer.addr, 9)
  t:ok(peer:expect(arp{ op = "request", spa = "192.0.2.2", tpa = peer.addr }))
  peer:collect { during = "5s" }
end)

tap.test("arp_announce = 2: of two addresses of the network the primary is named", function(t)
  local host, peer = station { ["net.ipv4.conf.all.arp_announce"] = 2 }
  host:addr_add("192.0.2.2/24")
  local socket = host:socket "udp"
  socket:bind("192.0.2.2", 0)
  socket:sendto("x", peer.addr, 9)
  t:ok(peer:expect(arp{ op = "request", spa = "192.0.2.1", tpa = peer.addr }))
  peer:collect { during = "5s" }
end)

tap.test("arp_ignore = 2: only senders of the target's network are answered", function(t)
  local host, peer = station { ["net.ipv4.conf.all.arp_ignore"] = 2 }
  peer:send(arp{ op = "request", spa = "203.0.113.9", tpa = "192.0.2.1" })
  peer:expect_nothing { during = "1s" }
  peer:send(arp{ op = "request", tpa = "198.51.100.1" })
  peer:expect_nothing { during = "1s" }
  t:is(host:drops("ARP_IGNORE"), 2)
  peer:send(arp{ op = "request", tpa = "192.0.2.1" })
  t:ok(peer:expect(arp{ op = "reply" }))
end)

tap.test("arp_filter = 1: no answer where the way back is another interface", function(t)
  local host, peer = station { ["net.ipv4.conf.all.arp_filter"] = 1 }
  local second = host:nic { addr = "203.0.113.1/24" }
  local other = second.wire:peer { addr = "203.0.113.9", arp = false }
  other:send(arp{ op = "request", spa = "192.0.2.9", tpa = "203.0.113.1" })
  other:expect_nothing { during = "1s" }
  t:is({ host:drops("ARP_IGNORE"), host:counter "TcpExtArpFilter" }, { 1, 1 })
  other:send(arp{ op = "request" })
  t:ok(other:expect(arp{ op = "reply" }))
  peer:expect_nothing()
end)

tap.test("without a carrier learnt entries are forgotten, permanent ones are not", function(t)
  local host, peer = station()
  local fixed = host.wire:peer { addr = "192.0.2.20", arp = false }
  host:neigh { addr = fixed.addr, mac = fixed.mac }
  peer:send(arp{ op = "request" })
  peer:expect(arp{ op = "reply" })
  host:link { carrier = 0 }
  net.sleep "2s"
  host:link { carrier = 1 }
  net.sleep "2s"
  local socket = host:socket "udp"
  socket:sendto("x", fixed.addr, 9)
  fixed:expect(udp{ dport = 9 })
  socket:sendto("x", peer.addr, 9)
  t:ok(peer:expect(eth{ dst = BROADCAST } / arp{ op = "request", tpa = peer.addr }))
  peer:collect { during = "5s" }
end)

tap.test("mcast_resolicit: after the unicast probes so many broadcast ones, before failing", function(t)
  local host, peer = station { ["net.ipv4.neigh.default.mcast_resolicit"] = 2 }
  host:neigh { addr = peer.addr, mac = peer.mac, state = "stale" }
  host:socket "udp":sendto("x", peer.addr, 9)
  peer:expect(udp{ dport = 9 })
  local unicast = eth{ dst = peer.mac } / arp{ op = "request", tpa = peer.addr }
  local broadcast = eth{ dst = BROADCAST } / arp{ op = "request", tpa = peer.addr }
  peer:expect(unicast, { at = "+5s" })
  peer:expect(unicast, { at = "+1s" })
  peer:expect(unicast, { at = "+1s" })
  peer:expect(broadcast, { at = "+1s" })
  peer:expect(broadcast, { at = "+1s" })
  t:ok(peer:expect_nothing { during = "10s" })
  t:is(host:counter("arp_cache.res_failed"), 1)
end)

tap.test("a reachable entry set by hand is used at once and grows stale", function(t)
  local host, peer = station()
  host:neigh { addr = peer.addr, mac = peer.mac, state = "reachable" }
  local socket = host:socket "udp"
  socket:sendto("x", peer.addr, 9)
  peer:expect(udp{ dport = 9 })
  peer:expect_nothing { during = "46s" }
  socket:sendto("y", peer.addr, 9)
  peer:expect(udp{ dport = 9 } / "y")
  t:ok(peer:expect(eth{ dst = peer.mac } / arp{ op = "request" }, { at = "+5s" }))
  peer:collect { during = "5s" }
end)
