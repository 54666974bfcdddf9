-- SPDX-License-Identifier: MIT
-- RFC 1122 2.3.2: validity of ARP cache entries, floods, packets that wait. The states are RFC
-- 4861's as Linux runs them for ARP: delay 5 s, probes 1 s apart, 3 unicast, 3 broadcast.
local tap = require "tap"
local net = require "net"
local eth, ip, udp, arp, icmp = net.eth, net.ip, net.udp, net.arp, net.icmp

local function station(o)
  o = o or {}
  o.addr = "192.0.2.1/24"
  local host = net.host(o)
  local peer = host.wire:peer { addr = "192.0.2.9", arp = false }
  return host, peer, host:socket "udp"
end

local BROADCAST = "ff:ff:ff:ff:ff:ff"

local function request(peer, dst)
  return eth{ dst = dst } / arp{ op = "request", tpa = peer.addr }
end

-- Makes a REACHABLE entry for the peer; returns its time.
local function resolve(peer, socket)
  socket:sendto("first", peer.addr, 9)
  peer:expect(request(peer, BROADCAST))
  peer:send(arp{ op = "reply" })
  peer:expect(udp{ dport = 9 } / "first")
  return net.now()
end

tap.test("an unanswered request goes out three times, 1 s apart, and no more", function(t)
  local host, peer, socket = station()
  socket:sendto("x", peer.addr, 9)
  peer:expect(request(peer, BROADCAST))
  peer:expect(request(peer, BROADCAST), { at = "+1s" })
  peer:expect(request(peer, BROADCAST), { at = "+1s" })
  t:shows("RFC1122-2.3.2.1-2", peer:expect_nothing { during = "1min" })
  t:is(host:drops("NEIGH_FAILED"), 1)
  t:is(host:counter("arp_cache.res_failed"), 1)
end)

tap.test("a burst to an unknown neighbour makes one request a second", function(t)
  local _, peer, socket = station()
  for i = 1, 50 do socket:sendto("n" .. i, peer.addr, 9) end
  peer:expect(request(peer, BROADCAST))
  t:shows("RFC1122-2.3.2.1-2", peer:expect_nothing { during = "999ms" })
  peer:collect { during = "10s" }
end)

tap.test("without an answer the local sender gets EHOSTUNREACH after 3 s", function(t)
  local host, peer, socket = station()
  socket:option("IP_RECVERR", 1)
  socket:connect(peer.addr, 9)
  socket:send "x"
  peer:collect { during = "2999ms" }
  t:is(socket:pending(), 0)
  t:is(socket:poll("in", "0ms"), {}, "not before the third request has waited its second")
  peer:collect { during = "1ms" }
  t:is({ socket:try "recv" }, { nil, "EHOSTUNREACH" })
  t:is(host:drops("NEIGH_FAILED"), 1)
end)

tap.test("an answer to the third request is in time", function(t)
  local _, peer, socket = station()
  socket:sendto("x", peer.addr, 9)
  peer:expect(request(peer, BROADCAST))
  peer:expect(request(peer, BROADCAST), { at = "+1s" })
  peer:expect(request(peer, BROADCAST), { at = "+1s" })
  net.sleep "990ms"
  peer:send(arp{ op = "reply" })
  t:shows("RFC1122-2.4-3", peer:expect(udp{ dport = 9 } / "x"))
end)

tap.test("a missing entry is no destination unreachable: the first datagram is not refused",
  function(t)
    local host, peer, socket = station()
    socket:connect(peer.addr, 9)
    t:shows("RFC1122-2.4-3", t:is(socket:send "x", 1))
    peer:expect(request(peer, BROADCAST))
    t:is(host:counter("IcmpOutDestUnreachs"), 0)
    peer:send(arp{ op = "reply" })
    peer:expect(udp{ dport = 9 } / "x")
  end)

tap.test("after a failure the next datagram asks again", function(t)
  local _, peer, socket = station()
  socket:sendto("x", peer.addr, 9)
  t:is(#peer:collect { during = "10s" }, 3)
  socket:sendto("y", peer.addr, 9)
  peer:expect(request(peer, BROADCAST))
  peer:send(arp{ op = "reply" })
  t:ok(peer:expect(udp{ dport = 9 } / "y"))
end)

tap.test("the queue for an unknown neighbour keeps the latest packets, the oldest go", function(t)
  local host, peer, socket = station { sysctl = { ["net.ipv4.neigh.default.unres_qlen_bytes"] = 4096 } }
  for i = 1, 20 do socket:sendto(("%02d"):format(i), peer.addr, 9) end
  peer:expect(request(peer, BROADCAST))
  local kept = 20 - host:drops("NEIGH_QUEUEFULL")
  t:is(kept, 5, "5 times 768 octets, the truesize of such a packet, fit in 4096")
  peer:send(arp{ op = "reply" })
  local last
  for i = 20 - kept + 1, 20 do last = peer:expect(udp{ dport = 9 } / ("%02d"):format(i)) end
  t:shows("RFC1122-2.3.2.2-1", last)
  t:is(host:counter("arp_cache.unres_discards"), 20 - kept)
end)

tap.test("with the smallest queue the latest packet is saved", function(t)
  local host, peer, socket = station { sysctl = { ["net.ipv4.neigh.default.unres_qlen_bytes"] = 1 } }
  for i = 1, 5 do socket:sendto("n" .. i, peer.addr, 9) end
  peer:expect(request(peer, BROADCAST))
  peer:send(arp{ op = "reply" })
  t:shows("RFC1122-2.3.2.2-1", peer:expect(udp{ dport = 9 } / "n5"))
  peer:expect_nothing { during = "1s" }
  t:is(host:drops("NEIGH_QUEUEFULL"), 4)
end)

tap.test("an entry not confirmed grows stale, is used 5 s more, then is probed by unicast", function(t)
  local _, peer, socket = station()
  resolve(peer, socket)
  net.sleep "46s"                                         -- reachable time is 15 s to 45 s
  socket:sendto("stale", peer.addr, 9)
  peer:expect(udp{ dport = 9 } / "stale")                 -- NUD_DELAY
  t:shows("RFC1122-2.3.2.1-1", peer:expect(request(peer, peer.mac), { at = "+5s" }))
  peer:send(arp{ op = "reply" })
  peer:expect_nothing { during = "10s" }
  socket:sendto("fresh", peer.addr, 9)
  peer:expect(udp{ dport = 9 } / "fresh")
end)

tap.test("a stale entry whose probes get no answer fails; then the address is asked for anew",
  function(t)
    local host, peer, socket = station()
    resolve(peer, socket)
    net.sleep "46s"
    socket:sendto("stale", peer.addr, 9)
    peer:expect(udp{ dport = 9 } / "stale")
    peer:expect(request(peer, peer.mac), { at = "+5s" })
    peer:expect(request(peer, peer.mac), { at = "+1s" })
    peer:expect(request(peer, peer.mac), { at = "+1s" })
    peer:expect_nothing { during = "2s" }
    t:is(host:counter("arp_cache.res_failed"), 1)
    socket:sendto("anew", peer.addr, 9)
    t:shows("RFC1122-2.3.2.1-1", peer:expect(request(peer, BROADCAST)))
    peer:collect { during = "5s" }
  end)

tap.test("while an entry is probed datagrams go on to the old address", function(t)
  local _, peer, socket = station()
  resolve(peer, socket)
  net.sleep "46s"
  socket:sendto("1", peer.addr, 9)
  peer:expect(udp{ dport = 9 } / "1")
  peer:expect(request(peer, peer.mac), { at = "+5s" })
  socket:sendto("2", peer.addr, 9)
  t:ok(peer:expect(eth{ dst = peer.mac } / ip{} / udp{ dport = 9 } / "2"))
  peer:collect { during = "5s" }
end)

tap.test("no probe without traffic", function(t)
  local _, peer, socket = station()
  resolve(peer, socket)
  t:shows("RFC1122-3.3.1.4-4", peer:expect_nothing { during = "1h" })
end)

tap.test("no probe of an entry within its reachable time", function(t)
  local _, peer, socket = station()
  resolve(peer, socket)
  for i = 1, 14 do                                         -- 15 s is the least
    net.sleep "1s"
    socket:sendto("n" .. i, peer.addr, 9)
    peer:expect(udp{ dport = 9 } / ("n" .. i))
  end
  t:shows("RFC1122-3.3.1.4-5", peer:expect_nothing())
end)

tap.test("the times follow their sysctls: base reachable time, delay, retransmission", function(t)
  local _, peer, socket = station { sysctl = {
    ["net.ipv4.neigh.default.base_reachable_time_ms"] = 2000,
    ["net.ipv4.neigh.default.delay_first_probe_time"] = 1,
    ["net.ipv4.neigh.default.retrans_time_ms"] = 250,
  } }
  resolve(peer, socket)
  net.sleep "3100ms"                                      -- 1 s to 3 s
  socket:sendto("stale", peer.addr, 9)
  peer:expect(udp{ dport = 9 } / "stale")
  peer:expect(request(peer, peer.mac), { at = "+1s" })
  t:shows("RFC1122-2.3.2.1-3", peer:expect(request(peer, peer.mac), { at = "+250ms" }))
  peer:expect(request(peer, peer.mac), { at = "+250ms" })
  peer:expect_nothing { during = "1s" }
end)

tap.test("the number of requests follows mcast_solicit", function(t)
  local _, peer, socket = station { sysctl = { ["net.ipv4.neigh.default.mcast_solicit"] = 1 } }
  socket:sendto("x", peer.addr, 9)
  peer:expect(request(peer, BROADCAST))
  t:ok(peer:expect_nothing { during = "10s" })
end)

tap.test("a permanent entry is neither probed nor changed by what others say", function(t)
  local host, peer, socket = station()
  host:neigh { addr = peer.addr, mac = peer.mac }
  peer:send(arp{ op = "request", sha = "02:00:00:00:aa:aa" })
  net.sleep "2s"
  peer:collect()
  for i = 1, 5 do
    net.sleep "60s"
    socket:sendto("n" .. i, peer.addr, 9)
    peer:expect(eth{ dst = peer.mac } / ip{} / udp{ dport = 9 })
  end
  t:ok(peer:expect_nothing { during = "10s" })
end)

tap.test("a deleted entry is asked for again", function(t)
  local host, peer, socket = station()
  resolve(peer, socket)
  host:neigh_del(peer.addr)
  socket:sendto("x", peer.addr, 9)
  t:ok(peer:expect(request(peer, BROADCAST)))
  peer:collect { during = "5s" }
end)

tap.test("a broadcast reply does not confirm: the entry is stale, used for 5 s and probed", function(t)
  local _, peer, socket = station()
  socket:sendto("first", peer.addr, 9)
  peer:expect(request(peer, BROADCAST))
  peer:send(eth{ dst = BROADCAST } / arp{ op = "reply" })
  peer:expect(udp{ dport = 9 } / "first")
  t:ok(peer:expect(request(peer, peer.mac), { at = "+5s" }))
  peer:collect { during = "5s" }
end)

tap.test("more neighbours than gc_thresh3: the table is full, the datagram is lost", function(t)
  local host, peer, socket = station { sysctl = {
    ["net.ipv4.neigh.default.gc_thresh1"] = 1, ["net.ipv4.neigh.default.gc_thresh2"] = 2,
    ["net.ipv4.neigh.default.gc_thresh3"] = 4 } }
  for i = 1, 4 do socket:sendto("x", "192.0.2." .. 100 + i, 9) end
  t:is(socket:sendto("x", "192.0.2.105", 9), 1, "without IP_RECVERR no error is told")
  t:is(host:drops("NEIGH_CREATEFAIL"), 1)
  t:is(host:counter("UdpSndbufErrors"), 1)
  t:is(host:counter("IpOutDiscards"), 1)
  socket:option("IP_RECVERR", 1)
  t:is({ socket:try("sendto", "x", "192.0.2.105", 9) }, { nil, "ENOBUFS" })
  t:is(host:counter("arp_cache.table_fulls"), 2)
  peer:collect { during = "10s" }
end)
