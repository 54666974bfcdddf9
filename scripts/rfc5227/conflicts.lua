-- SPDX-License-Identifier: MIT
-- RFC 5227: probes and announcements of others. Linux leaves probing and defending its own
-- addresses to a daemon (docs/divergences.md).
local tap = require "tap"
local net = require "net"
local eth, ip, udp, arp = net.eth, net.ip, net.udp, net.arp

local function station()
  local host = net.host { addr = "192.0.2.1/24" }
  local peer = host.wire:peer { addr = "192.0.2.9", arp = false }
  return host, peer
end

tap.test("a probe for the host's address is answered", function(t)
  local host, peer = station()
  peer:send(arp{ op = "request", spa = "0.0.0.0" })
  local reply = peer:expect(arp{ op = "reply", spa = host.addr, tpa = "0.0.0.0", tha = peer.mac })
  t:shows("RFC5227-2.5-2", t:is(reply.eth.dst, peer.mac))
  t:shows("RFC5227-2.6-1", t:isnt(reply.eth.dst, "ff:ff:ff:ff:ff:ff"))
  t:is(host:counter("ArpInProbes"), 1)
end)

tap.test("a probe teaches nothing: the prober is asked for as before", function(t)
  local host, peer = station()
  peer:send(arp{ op = "request", spa = "0.0.0.0" })
  peer:expect(arp{ op = "reply", tpa = "0.0.0.0" })
  t:is(host:counter("arp_cache.allocs"), 0)
end)

tap.test("a probe for an address of nobody here is not answered", function(t)
  local _, peer = station()
  peer:send(arp{ op = "request", spa = "0.0.0.0", tpa = "192.0.2.2" })
  t:ok(peer:expect_nothing { during = "10s" })
end)

tap.test("a probe for the broadcast address is not answered", function(t)
  local _, peer = station()
  peer:send(arp{ op = "request", spa = "0.0.0.0", tpa = "192.0.2.255" })
  t:ok(peer:expect_nothing { during = "10s" })
end)

tap.test("an ARP reply with sender address zero has no effect", function(t)
  local host, peer = station()
  peer:send(arp{ op = "reply", spa = "0.0.0.0" })
  peer:expect_nothing { during = "10s" }
  t:is(host:counter("arp_cache.allocs"), 0)
end)

tap.test("requests for an address are answered as soon as it is there", function(t)
  local host, peer = station()
  peer:send(arp{ op = "request", tpa = "192.0.2.2" })
  peer:expect_nothing { during = "1s" }
  host:addr_add("192.0.2.2/24")
  peer:send(arp{ op = "request", tpa = "192.0.2.2" })
  t:shows("RFC5227-2.5-1", peer:expect(arp{ op = "reply", spa = "192.0.2.2" }))
  host:addr_del("192.0.2.2/24")
  peer:send(arp{ op = "request", tpa = "192.0.2.2" })
  peer:expect_nothing { during = "1s" }
end)

tap.test("profile linux: a new address is neither probed nor announced", { profile = "linux" }, function(t)
  local host, peer = station()
  host:addr_add("192.0.2.2/24")
  t:shows("RFC5227-2.1-2", peer:expect_nothing { during = "1h" })
end)

tap.test("arp_notify = 1: an interface that comes up announces its address", function(t)
  local host = net.host { addr = "192.0.2.1/24" }
  local peer = host.wire:peer { addr = "192.0.2.9", arp = false }
  host:sysctl("net.ipv4.conf.eth0.arp_notify", 1)
  host:link { up = 0 }
  host:link { up = 1 }
  local announcement = peer:expect(eth{ dst = "ff:ff:ff:ff:ff:ff" } / arp{ op = "request",
    sha = host.mac, spa = "192.0.2.1", tpa = "192.0.2.1" }, { within = "1us" })
  t:is(announcement.arp.spa, announcement.arp.tpa)
end)

tap.test("profile linux: an announcement of the host's own address is not answered", { profile = "linux" }, function(t)
  local host, peer = station()
  peer:send(arp{ op = "request", spa = host.addr, tpa = host.addr })
  peer:send(arp{ op = "reply", spa = host.addr, tpa = host.addr, tha = peer.mac })
  peer:expect_nothing { during = "1min" }
  t:is(host:counter("ArpInGratuitous"), 2)
end)

tap.test("an announcement makes no entry", function(t)
  local host, peer = station()
  peer:send(arp{ op = "request", tpa = peer.addr })
  peer:expect_nothing { during = "10s" }
  t:is(host:counter("arp_cache.allocs"), 0)
end)

tap.test("an announcement replaces an entry's address at once, locktime or not", function(t)
  local host, peer = station()
  peer:send(arp{ op = "request" })
  peer:expect(arp{ op = "reply" })
  local other = host.wire:peer { addr = peer.addr, mac = "02:00:00:00:aa:aa", arp = false }
  other:send(arp{ op = "request", tpa = peer.addr })
  net.sleep "10us"
  host:socket "udp":sendto("x", peer.addr, 9)
  t:ok(other:expect(eth{ dst = other.mac } / ip{} / udp{ dport = 9 }))
  other:collect { during = "20s" }
end)

tap.test("an announcement in a reply counts only when both hardware addresses agree", function(t)
  local host, peer = station()
  peer:send(arp{ op = "request" })
  peer:expect(arp{ op = "reply" })
  peer:send(arp{ op = "reply", sha = "02:00:00:00:aa:aa", tpa = peer.addr, tha = host.mac })
  net.sleep "10us"
  host:socket "udp":sendto("x", peer.addr, 9)
  t:ok(peer:expect(eth{ dst = peer.mac } / ip{} / udp{ dport = 9 }))
end)

tap.test("drop_gratuitous_arp = 1: an announcement has no effect", function(t)
  local host, peer = station()
  host:sysctl("net.ipv4.conf.eth0.drop_gratuitous_arp", 1)
  peer:send(arp{ op = "request" })
  peer:expect(arp{ op = "reply" })
  peer:send(arp{ op = "request", sha = "02:00:00:00:aa:aa", tpa = peer.addr })
  net.sleep "10us"
  t:is(host:drops("ARP_INVALID"), 1)
  host:socket "udp":sendto("x", peer.addr, 9)
  t:ok(peer:expect(eth{ dst = peer.mac } / ip{} / udp{ dport = 9 }))
end)

tap.test("arp_accept = 1: an announcement makes an entry", function(t)
  local host, peer = station()
  host:sysctl("net.ipv4.conf.eth0.arp_accept", 1)
  peer:send(arp{ op = "request", tpa = peer.addr })
  net.sleep "10us"
  host:socket "udp":sendto("x", peer.addr, 9)
  t:ok(peer:expect(udp{ dport = 9 }))
end)

tap.test("arp_accept = 2: only announcements of the interface's own network make an entry",
  function(t)
    local host, peer = station()
    host:sysctl("net.ipv4.conf.eth0.arp_accept", 2)
    peer:send(arp{ op = "request", spa = "198.51.100.9", tpa = "198.51.100.9" })
    peer:expect_nothing { during = "1ms" }
    t:is(host:counter("arp_cache.allocs"), 0)
    peer:send(arp{ op = "request", tpa = peer.addr })
    peer:expect_nothing { during = "1ms" }
    t:is(host:counter("arp_cache.allocs"), 1)
  end)
