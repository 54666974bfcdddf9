-- SPDX-License-Identifier: MIT
-- RFC 826, Packet Reception: what an ARP packet must be, what is learnt, what is answered.
local tap = require "tap"
local net = require "net"
local eth, ip, udp, arp = net.eth, net.ip, net.udp, net.arp

-- The peer answers nothing by itself: what the host asks for is seen.
local function station()
  local host = net.host { addr = "192.0.2.1/24" }
  local peer = host.wire:peer { addr = "192.0.2.9", arp = false }
  return host, peer
end

-- Sends a datagram to the peer: shows whether the host knows where the peer is.
local function probe(host, peer)
  host:socket "udp":sendto("?", peer.addr, 9)
end

tap.test("a request for the host's address is answered to the asker alone, fields swapped",
  function(t)
    local host, peer = station()
    peer:send(arp{ op = "request" })
    local reply = peer:expect(eth{ dst = peer.mac, src = host.mac, type = 0x0806 } /
      arp{ htype = 1, ptype = 0x0800, hlen = 6, plen = 4, op = 2, sha = host.mac,
        spa = host.addr, tha = peer.mac, tpa = peer.addr })
    t:shows("RFC826-Reception-7", t:is(reply.eth.dst, peer.mac))
    t:is(host:counter("ArpInRequests"), 1)
  end)

tap.test("a unicast request is answered as a broadcast one", function(t)
  local host, peer = station()
  peer:send(eth{ dst = host.mac } / arp{ op = "request" })
  t:shows("RFC826-Reception-6", peer:expect(arp{ op = "reply" }))
end)

tap.test("the asker for our address is entered: the next datagram needs no request", function(t)
  local host, peer = station()
  peer:send(arp{ op = "request" })
  peer:expect(arp{ op = "reply" })
  probe(host, peer)
  t:shows("RFC826-Reception-5", peer:expect(udp{ dport = 9 } / "?"))
end)

tap.test("a request for another host is not answered and makes no entry", function(t)
  local host, peer = station()
  peer:send(arp{ op = "request", tpa = "192.0.2.50" })
  t:shows("RFC826-Reception-4", peer:expect_nothing { during = "10s" })
  probe(host, peer)
  t:shows("RFC826-Reception-4", peer:expect(arp{ op = "request", tpa = peer.addr }))
  peer:send(arp{ op = "reply" })
  peer:expect(udp{ dport = 9 })
end)

tap.test("a request for another host updates the entry of an asker that is known", function(t)
  local host, peer = station()
  host:neigh { addr = peer.addr, mac = "02:00:00:00:aa:aa", state = "stale" }
  net.sleep "2s"                                          -- beyond locktime
  peer:send(arp{ op = "request", tpa = "192.0.2.50" })
  net.sleep "1ms"
  probe(host, peer)
  t:shows("RFC826-Reception-3", peer:expect(eth{ dst = peer.mac } / ip{} / udp{ dport = 9 }))
  peer:collect { during = "20s" }
end)

tap.test("of two replies within locktime the first one holds", function(t)
  local host, peer = station()
  probe(host, peer)
  peer:expect(arp{ op = "request" })
  peer:send(arp{ op = "reply" })
  peer:expect(udp{ dport = 9 })
  net.sleep "999ms"
  peer:send(arp{ op = "reply", sha = "02:00:00:00:aa:aa" })
  net.sleep "1us"
  probe(host, peer)
  t:ok(peer:expect(eth{ dst = peer.mac } / ip{} / udp{ dport = 9 }))
end)

tap.test("a reply after locktime replaces the address", function(t)
  local host, peer = station()
  probe(host, peer)
  peer:expect(arp{ op = "request" })
  peer:send(arp{ op = "reply" })
  peer:expect(udp{ dport = 9 })
  net.sleep "1002ms"
  peer:send(arp{ op = "reply", sha = "02:00:00:00:aa:aa" })
  net.sleep "1ms"
  local other = host.wire:peer { addr = "192.0.2.9", mac = "02:00:00:00:aa:aa", arp = false }
  probe(host, peer)
  t:shows("RFC826-Reception-3", other:expect(udp{ dport = 9 }))
end)

tap.test("an unsolicited reply makes no entry", function(t)
  local host, peer = station()
  peer:send(arp{ op = "reply" })
  net.sleep "1s"
  t:is(host:counter("ArpInReplies"), 1)
  probe(host, peer)
  t:shows("RFC826-Reception-4", peer:expect(arp{ op = "request", tpa = peer.addr }))
  peer:collect { during = "5s" }
end)

tap.test("arp_accept = 1: an unsolicited reply makes an entry", function(t)
  local host, peer = station()
  host:sysctl("net.ipv4.conf.eth0.arp_accept", 1)
  peer:send(arp{ op = "reply" })
  net.sleep "1ms"
  probe(host, peer)
  t:ok(peer:expect(udp{ dport = 9 }))
  peer:collect { during = "20s" }
end)

local function malformed(title, id, fields)
  tap.test(title, function(t)
    local host, peer = station()
    peer:send(arp(fields))
    local silence = peer:expect_nothing { during = "10s" }
    if id == "RFC826-Reception-1" then t:shows("RFC826-Reception-1", silence) end
    if id == "RFC826-Reception-2" then t:shows("RFC826-Reception-2", silence) end
    t:is(host:drops("ARP_INVALID"), 1)
    probe(host, peer)
    t:ok(peer:expect(arp{ op = "request" }), "nothing was learnt")
    peer:collect { during = "5s" }
  end)
end

malformed("hardware type 0 is discarded", "RFC826-Reception-1", { op = 1, htype = 0 })
malformed("hardware type 2 is discarded", "RFC826-Reception-1", { op = 1, htype = 2 })
malformed("hardware type 15, frame relay, is discarded", "RFC826-Reception-1", { op = 1, htype = 15 })
malformed("hardware type 65535 is discarded", "RFC826-Reception-1", { op = 1, htype = 65535 })
malformed("protocol type 0x0801 is discarded", "RFC826-Reception-2", { op = 1, ptype = 0x0801 })
malformed("protocol type 0x86dd is discarded", "RFC826-Reception-2", { op = 1, ptype = 0x86dd })
malformed("hardware length 5 is discarded", "RFC826-Reception-1", { op = 1, hlen = 5 })
malformed("hardware length 8 is discarded", "RFC826-Reception-1", { op = 1, hlen = 8 })
malformed("protocol length 3 is discarded", "RFC826-Reception-2", { op = 1, plen = 3 })
malformed("protocol length 16 is discarded", "RFC826-Reception-2", { op = 1, plen = 16 })
malformed("opcode 0 is discarded", nil, { op = 0, tpa = "192.0.2.1" })
malformed("opcode 3, reverse request, is discarded", nil, { op = 3, tpa = "192.0.2.1" })
malformed("opcode 9, InARP reply, is discarded", nil, { op = 9, tpa = "192.0.2.1" })
malformed("a request for a group address is discarded", nil, { op = 1, tpa = "224.0.0.1" })
malformed("a request for a loopback address is discarded", nil, { op = 1, tpa = "127.0.0.1" })

tap.test("an ARP packet of 27 octets is discarded, one of 28 octets is answered", function(t)
  local host, peer = station()
  local request = eth{ dst = host.mac, src = peer.mac, type = 0x0806 }:bytes() ..
    arp{ op = 1, sha = peer.mac, spa = peer.addr, tha = "00:00:00:00:00:00", tpa = host.addr }:bytes()
  t:is(#request, 42)
  peer:send_raw(request:sub(1, 41))
  peer:expect_nothing { during = "1s" }
  t:is(host:drops("ARP_INVALID"), 1)
  peer:send_raw(request)
  t:ok(peer:expect(arp{ op = "reply" }))
end)

tap.test("a request from a group address as sender is not answered and teaches nothing", function(t)
  local host, peer = station()
  peer:send(arp{ op = "request", spa = "224.0.0.9" })
  peer:expect_nothing { during = "10s" }
  t:is(host:counter("arp_cache.allocs"), 0)
end)

tap.test("a request whose sender claims the host's own address is not answered", function(t)
  local host, peer = station()
  peer:send(arp{ op = "request", spa = host.addr, tpa = host.addr })
  peer:expect_nothing { during = "10s" }
  t:is(host:counter("ArpInGratuitous"), 1)
end)

tap.test("a full neighbour table: the asker can not be entered and gets no answer", function(t)
  local host, peer = station()
  host:fault("neigh_full", { count = 1 })
  peer:send(arp{ op = "request" })
  peer:expect_nothing { during = "10s" }
  t:is(host:counter("arp_cache.table_fulls"), 1)
  peer:send(arp{ op = "request" })
  t:ok(peer:expect(arp{ op = "reply" }))
end)

tap.test("the reply goes out of the interface that the request came in by", function(t)
  local host = net.host { addr = "192.0.2.1/24" }
  local second = host:nic { addr = "198.51.100.1/24" }
  local peer = host.wire:peer { addr = "192.0.2.9", arp = false }
  local other = second.wire:peer { addr = "198.51.100.9", arp = false }
  other:send(arp{ op = "request" })
  local reply = other:expect(arp{ op = "reply", sha = second.mac, spa = "198.51.100.1" })
  t:shows("RFC826-Reception-7", t:is(reply.eth.src, second.mac))
  peer:expect_nothing { during = "1s" }
end)

tap.test("the weak host model: an address of the other interface is answered with this one's MAC",
  function(t)
    local host = net.host { addr = "192.0.2.1/24" }
    host:nic { addr = "198.51.100.1/24" }
    local peer = host.wire:peer { addr = "192.0.2.9", arp = false }
    peer:send(arp{ op = "request", tpa = "198.51.100.1" })
    local reply = peer:expect(arp{ op = "reply", spa = "198.51.100.1" })
    t:is(reply.arp.sha, host.mac)
  end)

tap.test("arp_ignore = 1: only addresses of the interface that was asked", function(t)
  local host = net.host { addr = "192.0.2.1/24" }
  host:nic { addr = "198.51.100.1/24" }
  host:sysctl("net.ipv4.conf.eth0.arp_ignore", 1)
  local peer = host.wire:peer { addr = "192.0.2.9", arp = false }
  peer:send(arp{ op = "request", tpa = "198.51.100.1" })
  peer:expect_nothing { during = "10s" }
  t:is(host:drops("ARP_IGNORE"), 1)
  peer:send(arp{ op = "request", tpa = "192.0.2.1" })
  t:ok(peer:expect(arp{ op = "reply" }))
end)

tap.test("arp_ignore = 8: no request is answered", function(t)
  local host, peer = station()
  host:sysctl("net.ipv4.conf.eth0.arp_ignore", 8)
  peer:send(arp{ op = "request" })
  peer:expect_nothing { during = "10s" }
  t:is(host:drops("ARP_IGNORE"), 1)
end)
