-- SPDX-License-Identifier: MIT
-- ICMP errors that a host sends, and when it must not (RFC 792, RFC 1122 3.2.2, RFC 1812 4.3.2).
local tap = require "tap"
local net = require "net"
local station = require("suite.station").ports
local eth, ip, icmp, udp, raw = net.eth, net.ip, net.icmp, net.udp, net.raw

-- A host with two cards that forwards between them.
local function router()
  local host = net.host { addr = "192.0.2.1/24", sysctl = { ["net.ipv4.ip_forward"] = 1 } }
  local far = host:nic { addr = "198.51.100.1/24" }
  local peer = host.wire:peer { addr = "192.0.2.9", port = 5000 }:to(7)
  local other = far.wire:peer { addr = "198.51.100.9" }
  host:neigh { addr = peer.addr, mac = peer.mac }
  return host, peer, other
end

-- Destination unreachable ------------------------------------------------------------------------

tap.test("a datagram to a closed port gets port unreachable at once", function(t)
  local host, peer = station()
  local before = host:counters()
  peer:send(udp{} / "hello")
  t:shows("RFC1122-3.2.2.1-1", peer:expect(ip{ src = host.addr, proto = 1 } /
    icmp{ type = 3, code = 3, rest = 0 }))
  t:is(host:changes(before, "^Icmp"), { IcmpOutMsgs = 1, IcmpOutDestUnreachs = 1,
    IcmpMsgOutType3 = 1 })
  t:is(host:changes(before, "^Udp"), { UdpNoPorts = 1 })
  t:is(host:drops("NO_SOCKET"), 1)
end)

tap.test("a datagram of a protocol that nobody handles gets protocol unreachable", function(t)
  local host, peer = station()
  for _, proto in ipairs { 0, 99, 132, 254 } do
    peer:send(ip{ proto = proto } / ("p"):rep(20))
    local error = peer:expect(icmp{ type = "dest-unreach", code = "protocol", rest = 0 })
    t:shows("RFC1122-3.2.2.1-1", t:is(error.inner.ip.proto, proto))
  end
  t:is(host:counter("IpInUnknownProtos"), 4)
  t:is(host:drops("IP_NOPROTO"), 4)
end)

tap.test("an error quotes the datagram's header and data octet for octet", function(t)
  local host, peer = station()
  local packet = ip{ src = peer.addr, dst = host.addr, tos = 0, id = 0xabcd, ttl = 3, df = true } /
    udp{ sport = 5000, dport = 7 } / "quoted!"
  peer:send(packet)
  local error = peer:expect(icmp{ type = "dest-unreach", code = "port" })
  local quote = error:bytes():sub(14 + 20 + 8 + 1)
  t:shows("RFC1122-3.2.2-3", t:is(quote:sub(1, 35), packet:bytes()))
  t:is(error.ip.len, 28 + 35)
end)

tap.test("an error quotes all of a datagram up to 576 octets of its own, and no more", function(t)
  local _, peer = station()
  -- 576 - 20 - 8 = 548 octets of quote: 520 octets of UDP data fit, 521 do not.
  for _, size in ipairs { 519, 520, 521, 1472 } do
    peer:send(udp{} / ("q"):rep(size))
    local error = peer:expect(icmp{ type = "dest-unreach", code = "port" })
    t:shows("RFC1812-4.3.2.3-1", t:is(error.ip.len, math.min(576, 28 + 28 + size)))
    t:shows("RFC1122-3.2.2-2", t:ok(error.ip.len > 28 + 28))
    net.sleep("1s")
  end
end)

tap.test("an error about a reassembled datagram quotes the header of the whole", function(t)
  local host, peer = station()
  local whole = ip{ src = peer.addr, dst = host.addr, id = 9 } / udp{ sport = 5000, dport = 7 } /
    ("r"):rep(200)
  local pieces = net.fragments(whole, { 64 })
  peer:send(pieces[2])
  peer:expect_nothing { during = "1ms" }
  peer:send(pieces[1])
  local error = peer:expect(icmp{ type = "dest-unreach", code = "port" })
  t:is(error.inner.ip.len, 228)
  t:is(error.inner.udp.dport, 7)
  t:is({ error.inner.ip.mf, error.inner.ip.off }, { false, 0 })
end)

tap.test("an error starts with a TTL of its own and comes from the address that was asked", function(t)
  local _, peer = station { addr = { "192.0.2.1/24", "192.0.2.3/24" } }
  peer:send(ip{ dst = "192.0.2.3", ttl = 1 } / udp{} / "x")
  local error = peer:expect(ip{ src = "192.0.2.3" } / icmp{ type = "dest-unreach", code = "port" })
  t:shows("RFC1812-4.3.2.2-1", t:is(error.ip.ttl, 64))
  t:shows("RFC1812-4.3.2.4-1", t:is(error.inner.ip.dst, "192.0.2.3"))
end)

tap.test("an error is sent with precedence 6 and, for a plain datagram, TOS 0", function(t)
  local _, peer = station()
  peer:send(ip{ tos = 0 } / udp{} / "x")
  local error = peer:expect(icmp{ type = "dest-unreach", code = "port" })
  t:shows("RFC1812-4.3.2.5-1", t:is(error.ip.tos >> 5, 6))
  t:shows("RFC1122-3.2.2-5", t:is(error.ip.tos & 0x1f, 0))
end)

-- docs/divergences.md: RFC 1122 wants TOS 0, Linux repeats the TOS of the datagram.
tap.test("profile linux: an error about a datagram with a TOS repeats its four TOS bits", { profile = "linux" }, function(t)
  local _, peer = station()
  peer:send(ip{ tos = 0xff } / udp{} / "x")
  local error = peer:expect(icmp{ type = "dest-unreach", code = "port" })
  t:is(error.ip.tos, 0xde)
end)

-- When not to send -------------------------------------------------------------------------------

tap.test("no error about a datagram to a broadcast or multicast address", function(t)
  local host, peer = station()
  for _, addr in ipairs { "192.0.2.255", "192.0.2.0", "255.255.255.255", "224.0.0.1" } do
    peer:send(ip{ dst = addr } / udp{} / "x")
    peer:send(ip{ dst = addr, proto = 99 } / "x")
    t:shows("RFC1122-3.2.2-7", peer:expect_nothing { during = "1s" })
  end
  t:is(host:counter("IcmpOutMsgs"), 0)
  t:ok(host:counter("UdpIgnoredMulti") > 0)
end)

tap.test("no error about a datagram that came as a link-layer broadcast or multicast", function(t)
  local host, peer = station()
  for _, mac in ipairs { "ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:01" } do
    peer:send(eth{ dst = mac } / ip{} / udp{} / "x")
    peer:send(eth{ dst = mac } / ip{ proto = 99 } / "x")
    t:shows("RFC1122-3.2.2-8", peer:expect_nothing { during = "1s" })
  end
  t:is(host:counter("IcmpOutMsgs"), 0)
end)

tap.test("no error to a source that is not one host", function(t)
  local host, peer = station()
  for _, addr in ipairs { "0.0.0.0", "0.1.2.3", "127.0.0.1", "224.0.0.5", "239.1.1.1", "240.0.0.1",
    "255.255.255.255" } do
    peer:send(ip{ src = addr } / udp{} / "x")
    t:shows("RFC1122-3.2.2-10", peer:expect_nothing { during = "1s" })
  end
  t:is(host:counter("IcmpOutMsgs"), 0)
end)

-- docs/divergences.md: the kernel looks up sources only where the reverse path is checked.
tap.test("profile linux: an error goes to a subnet broadcast source unless rp_filter refuses it", { profile = "linux" },
  function(t)
    local host, peer = station()
    peer:send(ip{ src = "192.0.2.255" } / udp{} / "x")
    peer:expect(ip{ dst = "192.0.2.255" } / icmp{ type = "dest-unreach", code = "port" })
    host:sysctl("net.ipv4.conf.all.rp_filter", 1)
    peer:send(ip{ src = "192.0.2.255" } / udp{} / "x")
    peer:expect_nothing { during = "1s" }
    t:is(host:counter("IcmpOutMsgs"), 1)
  end)

tap.test("no error about a datagram whose UDP checksum is wrong", function(t)
  local host, peer = station()
  peer:send(udp{ checksum = 1 } / "hello")
  peer:send(udp{ checksum = 1 } / ("h"):rep(500))
  peer:expect_nothing { during = "1s" }
  t:is(host:counter("UdpNoPorts"), 0)
  t:is(host:counter("UdpInCsumErrors"), 2)
end)

tap.test("no error about a datagram whose IP header checksum is wrong", function(t)
  local host, peer = station()
  peer:send(ip{ checksum = 0x1111 } / udp{} / "hello")
  t:shows("RFC1812-4.3.2.7-1", peer:expect_nothing { during = "1s" })
  t:is(host:counter("IcmpOutMsgs"), 0)
end)

tap.test("no error about an ICMP error, though its options are wrong", function(t)
  local host, peer = station()
  -- A record route of length 2 is a parameter problem; in front of a query it is told.
  local bad = "\7\2\0\0"
  local quote = ip{ src = host.addr, dst = peer.addr } / udp{ sport = 1, dport = 2 }
  peer:send(ip{ options = bad } / icmp{ type = "echo", id = 1, seq = 1 })
  peer:expect(icmp{ type = "param-problem" })
  for _, type in ipairs { 3, 4, 5, 11, 12 } do
    peer:send(ip{ options = bad } / icmp{ type = type, code = 0, rest = 0 } / quote)
    t:shows("RFC1122-3.2.2-6", peer:expect_nothing { during = "1s" })
  end
  t:is(host:counter("IcmpOutMsgs"), 1)
end)

tap.test("no error about an ICMP message of unknown type, which might be one", function(t)
  local host, peer = station()
  for _, type in ipairs { 1, 2, 6, 7, 19, 200 } do
    peer:send(ip{ options = "\7\2\0\0" } / icmp{ type = type, code = 0, rest = 0 } / "x")
    peer:expect_nothing { during = "1s" }
  end
  t:is(host:counter("IcmpOutMsgs"), 0)
end)

tap.test("no error about any fragment but the first", function(t)
  local host, peer = router()
  peer:send(ip{ dst = "198.51.100.9", ttl = 1, off = 1 } / raw(("f"):rep(16)))
  peer:send(ip{ dst = "198.51.100.9", ttl = 1, off = 8191 } / raw("f"))
  t:shows("RFC1122-3.2.2-9", peer:expect_nothing { during = "1s" })
  t:is(host:drops("TTL_EXCEEDED"), 2)
  peer:send(ip{ dst = "198.51.100.9", ttl = 1, off = 0, mf = true } / udp{} / ("f"):rep(8))
  peer:expect(icmp{ type = "time-exceeded", code = "ttl" })
end)

tap.test("a host that does not forward sends no redirect, no unreachable and no time exceeded",
  function(t)
    local host, peer = station { addr = { "192.0.2.1/24", "198.51.100.1/24" },
      gateway = "192.0.2.254" }
    peer:send(ip{ dst = "192.0.2.77" } / udp{} / "x")
    peer:send(ip{ dst = "198.51.100.77", ttl = 1 } / udp{} / "x")
    peer:send(ip{ dst = "203.0.113.1" } / udp{} / "x")
    t:shows("RFC1122-3.2.2.2-1", peer:expect_nothing { during = "5s" })
    t:is(host:counter("IcmpOutMsgs"), 0)
    t:is(host:drops("NOT_FORWARDING"), 3)
  end)

-- Time exceeded, parameter problem, errors of a router -------------------------------------------

tap.test("time exceeded in transit: code 0, from the address of the interface towards the sender",
  function(t)
    local host, peer, other = router()
    host:neigh { addr = other.addr, mac = other.mac, dev = host.nics[2] }
    peer:send(ip{ dst = "198.51.100.9", ttl = 1 } / udp{ sport = 1, dport = 2 } / "x")
    local error = peer:expect(ip{ src = "192.0.2.1" } /
      icmp{ type = "time-exceeded", code = 0, rest = 0 })
    t:shows("RFC792-TimeExceeded-1", t:is(error.inner.ip.ttl, 1))
    other:expect_nothing { during = "1s" }
    peer:send(ip{ dst = "198.51.100.9", ttl = 2 } / udp{ sport = 1, dport = 2 } / "x")
    other:expect(ip{ src = peer.addr, dst = other.addr, ttl = 1 } / udp{} / "x", { within = "1ms" })
  end)

tap.test("time exceeded in reassembly: code 1 after ipfrag_time, with the first fragment's quote", function(t)
  local host, peer = station()
  local whole = ip{ src = peer.addr, dst = host.addr, id = 4 } / udp{ sport = 5000, dport = 7 } /
    ("w"):rep(100)
  peer:send(net.fragments(whole, { 32 })[1])
  local error = peer:expect(icmp{ type = "time-exceeded", code = 1, rest = 0 },
    { at = host:sysctl("net.ipv4.ipfrag_time") .. "000001us" })
  t:shows("RFC792-TimeExceeded-1", t:is(error.inner.udp.dport, 7))
  t:is(host:counter("IpReasmTimeout"), 1)
end)

tap.test("no time exceeded in reassembly when fragment zero is missing", function(t)
  local host, peer = station()
  local whole = ip{ src = peer.addr, dst = host.addr, id = 4 } / udp{ sport = 5000, dport = 7 } /
    ("w"):rep(100)
  peer:send(net.fragments(whole, { 32 })[2])
  t:shows("RFC792-TimeExceeded-1", peer:expect_nothing { during = "600s" })
  t:is(host:counter("IpReasmTimeout"), 1)
end)

for _, case in ipairs {
  { "length 0", "\7\0\0\0", 20 },
  { "length 1", "\7\1\0\0", 20 },
  { "a length past the header", "\7\40\4\0", 20 },
  { "length 2, too short for its pointer", "\7\2\0\0", 21 },
  { "pointer 3, before the first slot", "\7\7\3\0\0\0\0\0", 22 },
  { "a slot cut short by the length", "\7\6\4\0\0\0\0\0", 22 },
  { "the same behind a no-operation", "\1\7\2\0", 22 },
} do
  tap.test("parameter problem points at the octet: a record route with " .. case[1], function(t)
    local host, peer = station()
    peer:send(ip{ options = case[2] } / udp{} / "x")
    local error = peer:expect(icmp{ type = "param-problem", code = 0 })
    t:shows("RFC792-ParamProblem-1", t:is(error.icmp.pointer, case[3]))
    t:shows("RFC1122-3.2.2.5-1", t:is(error.inner.ip.options, case[2]))
    t:is(host:counter("IpInHdrErrors"), 1)
    t:is(host:counter("IcmpOutParmProbs"), 1)
  end)
end

tap.test("a datagram with DF that is too big for the next link gets fragmentation needed with its MTU",
  function(t)
    local host, peer = router()
    host:link { mtu = 1000, dev = host.nics[2] }
    peer:send(ip{ dst = "198.51.100.9", df = true } / udp{} / ("b"):rep(973))
    local error = peer:expect(ip{ src = "192.0.2.1" } /
      icmp{ type = "dest-unreach", code = "frag-needed", mtu = 1000 })
    t:shows("RFC792-Unreach-1", t:is(error.inner.ip.len, 1001))
    t:is(host:drops("PKT_TOO_BIG"), 1)
    t:is(host:counter("IpFragFails"), 1)
  end)

tap.test("unreachable and prohibit routes answer with their codes, blackhole with silence", function(t)
  local host, peer = router()
  for _, case in ipairs { { "unreachable", "203.0.113.0/28", 1 }, { "prohibit", "203.0.113.16/28", 13 } } do
    host:route { dst = case[2], type = case[1] }
    peer:send(ip{ dst = case[2]:gsub("%d+/28", function(n) return tostring(tonumber(n:match("%d+")) + 1) end) } /
      udp{} / "x")
    local error = peer:expect(icmp{ type = "dest-unreach", code = case[3] })
    t:shows("RFC792-Unreach-1", t:is(error.icmp.code, case[3]))
  end
  host:route { dst = "203.0.113.32/28", type = "blackhole" }
  peer:send(ip{ dst = "203.0.113.33" } / udp{} / "x")
  peer:expect_nothing { during = "1s" }
  peer:send(ip{ dst = "203.0.114.1" } / udp{} / "x")
  peer:expect(icmp{ type = "dest-unreach", code = "net" })
end)

tap.test("a router whose next hop does not answer ARP tells the sender host unreachable after 3 s",
  function(t)
    local host, peer, other = router()
    other.silent = host.nics[2].wire:peer { addr = "198.51.100.77", arp = false }
    peer:send(ip{ dst = "198.51.100.77" } / udp{} / "x")
    local error = peer:expect(ip{ src = "192.0.2.1" } / icmp{ type = "dest-unreach", code = "host" },
      { within = "4s" })
    t:shows("RFC792-Unreach-1", t:is(error.inner.ip.dst, "198.51.100.77"))
    t:is(host:drops("NEIGH_FAILED"), 1)
    t:is(#other:collect(), 3)
  end)
