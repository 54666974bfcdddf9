-- SPDX-License-Identifier: MIT
-- RFC 1122 3.2.1.3, 3.3.6, 3.3.7: which destinations are the host's, which sources are possible.
local tap = require "tap"
local net = require "net"
local station = require("suite.station").pair
local eth, ip, icmp, udp = net.eth, net.ip, net.icmp, net.udp

local function echo() return icmp{ type = "echo", id = 1, seq = 1 } end

local BROADCAST = "ff:ff:ff:ff:ff:ff"

tap.test("a unicast destination that is not the host's is discarded in silence", function(t)
  local host, peer = station()
  peer:send(ip{ dst = "192.0.2.2" } / echo())
  t:shows("RFC1122-3.2.1.3-3", peer:expect_nothing { during = "1min" })
  t:is(host:counter("IpInAddrErrors"), 1)
  t:is(host:drops("NOT_FORWARDING"), 1)
  t:is(host:counter("IpForwDatagrams"), 0)
end)

tap.test("two interfaces alone do not make a router", function(t)
  local host, peer = station()
  local second = host:nic { addr = "198.51.100.1/24" }
  local other = second.wire:peer { addr = "198.51.100.9" }
  t:shows("RFC1122-3.1-6", t:is(host:sysctl("net.ipv4.ip_forward"), "0"))
  peer:send(ip{ dst = other.addr } / echo())
  peer:expect_nothing { during = "1s" }
  t:shows("RFC1122-3.1-7", other:expect_nothing { during = "1s" })
end)

-- A source that can not be one: discarded in silence.
local function bad_source(title, source, reason, o)
  tap.test(title, function(t)
    local host, peer = station(o)
    peer:send(ip{ src = source } / echo())
    t:shows("RFC1122-3.2.1.3-4", peer:expect_nothing { during = "1min" })
    t:is(host:drops(reason), 1)
    t:is(host:counter("IpInDelivers"), 0)
    t:is(host:counter("IcmpOutMsgs"), 0)
  end)
end

bad_source("source 127.0.0.1 on a wire is discarded", "127.0.0.1", "IP_LOCALNET")
bad_source("source 127.255.255.254 on a wire is discarded", "127.255.255.254", "IP_LOCALNET")
bad_source("source 224.0.0.0, the first group, is discarded", "224.0.0.0", "IP_INVALID_SOURCE")
bad_source("source 239.255.255.255, the last group, is discarded", "239.255.255.255",
  "IP_INVALID_SOURCE")
bad_source("source 255.255.255.255 is discarded", "255.255.255.255", "IP_INVALID_SOURCE")
bad_source("source 192.0.2.255, the subnet's broadcast, is discarded with rp_filter = 1",
  "192.0.2.255", "IP_MARTIAN_SOURCE", { sysctl = { ["net.ipv4.conf.default.rp_filter"] = 1 } })
bad_source("source 192.0.2.255, the subnet's broadcast, is discarded with rp_filter = 2",
  "192.0.2.255", "IP_MARTIAN_SOURCE", { sysctl = { ["net.ipv4.conf.default.rp_filter"] = 2 } })
bad_source("source 0.0.0.0 to a unicast destination is discarded", "0.0.0.0", "IP_INVALID_SOURCE")
bad_source("the host's own address as a source is discarded", "192.0.2.1", "IP_MARTIAN_SOURCE")

tap.test("profile linux: without rp_filter the subnet's broadcast address passes as a source", { profile = "linux" }, function(t)
  local host, peer = station()
  local server = host:socket "udp"
  server:bind(7)
  peer:send(ip{ src = "192.0.2.255" } / udp{ sport = 5000, dport = 7 } / "hello")
  peer:expect_nothing { during = "1s" }
  t:is(server:pending(), 5)
end)

tap.test("profile linux: a source in 0.0.0.0/8 other than 0.0.0.0 is unicast", { profile = "linux" }, function(t)
  local host, peer = station()
  peer:send(ip{ src = "0.0.0.1" } / udp{ sport = 5000, dport = 7 })
  peer:expect_nothing { during = "1s" }
  t:is({ host:counter("IpInDelivers"), host:drops("NO_SOCKET") }, { 1, 1 })
end)

tap.test("rp_filter = 1: a source that another interface leads to is discarded", function(t)
  local host, peer = station { sysctl = { ["net.ipv4.conf.default.rp_filter"] = 1 } }
  host:nic { addr = "198.51.100.1/24" }
  peer:send(ip{ src = "198.51.100.9" } / echo())
  t:shows("RFC1812-5.3.8-1", peer:expect_nothing { during = "1s" })
  t:is(host:drops("IP_RPFILTER"), 1)
  peer:send(echo())
  peer:expect(icmp{ type = "echo-reply" })
end)

tap.test("rp_filter = 0, the default: the same source is taken, the answer goes its way", function(t)
  local host, peer = station()
  local second = host:nic { addr = "198.51.100.1/24" }
  local other = second.wire:peer { addr = "198.51.100.9" }
  peer:send(ip{ src = other.addr } / echo())
  local reply = other:expect(ip{ src = "192.0.2.1" } / icmp{ type = "echo-reply" }, { within = "1ms" })
  t:shows("RFC1812-5.3.8-2", t:is(reply.ip.src, "192.0.2.1"))
  peer:expect_nothing { during = "1s" }
end)

-- A destination that is the host's or not, seen by a datagram to an open port.
local function destination(title, id, dst, mac, heard, o)
  tap.test(title, function(t)
    local host, peer = station(o)
    local server = host:socket "udp"
    server:bind(7)
    peer:send(eth{ dst = mac or host.mac } / ip{ dst = dst } / udp{ sport = 5000, dport = 7 } / "hello")
    net.sleep "1ms"
    local result = t:is(server:pending(), heard and 5 or 0)
    if id == 1 then t:shows("RFC1122-3.3.6-4", result) end
    if id == 2 then t:shows("RFC1122-3.3.6-1", result) end
    if id == 3 then t:shows("RFC1122-3.2.1.3-3", result) end
    if id == 4 then t:shows("RFC1122-3.3.7-1", result) end
    if id == 5 then t:shows("RFC1112-7.2-4", result) end
    if id == 6 then t:shows("RFC1112-7.2-1", result) end
    peer:expect_nothing { during = "1s" }
  end)
end

destination("255.255.255.255 is heard", 1, "255.255.255.255", BROADCAST, true)
destination("the subnet's broadcast address is heard", 1, "192.0.2.255", BROADCAST, true)
destination("0.0.0.0 as a broadcast of 4.2BSD's kind is not heard", nil, "0.0.0.0", BROADCAST, false)
destination("the broadcast address of another subnet is not heard", 3, "198.51.100.255", BROADCAST,
  false)
destination("the last address of a /25 is heard as broadcast", 1, "192.0.2.127", BROADCAST, true,
  { addr = "192.0.2.1/25" })
destination("the last address of the /24 is nothing to a /25", 3, "192.0.2.255", BROADCAST, false,
  { addr = "192.0.2.1/25" })
destination("a /31 has no broadcast address: its other address is a host", 3, "192.0.2.1",
  BROADCAST, false, { addr = "192.0.2.0/31" })
destination("127.0.0.1 as a destination on a wire is not heard", 3, "127.0.0.1", nil, false)
destination("224.0.0.1, all hosts, is joined from the start", 5, "224.0.0.1", "01:00:5e:00:00:01",
  true)
destination("a group nobody joined is not heard", 6, "224.0.0.2", "01:00:5e:00:00:02", false)
destination("a group of the same Ethernet address as 224.0.0.1 is filtered by IP", 6, "225.0.0.1",
  "01:00:5e:00:00:01", false)
destination("240.0.0.1, class E, is not the host's", 3, "240.0.0.1", nil, false)

tap.test("profile linux: the network's own number, the old broadcast address, is not heard", { profile = "linux" },
  function(t)
    local host, peer = station()
    local server = host:socket "udp"
    server:bind(7)
    peer:send(eth{ dst = BROADCAST } / ip{ dst = "192.0.2.0" } / udp{ sport = 5000, dport = 7 } / "hello")
    net.sleep "1ms"
    t:is(server:pending(), 0, "Linux gave up the all-zeros form in 5.14")
    t:is(host:counter("IpInAddrErrors"), 1)
  end)

tap.test("profile linux: unicast in a broadcast frame is delivered", { profile = "linux" }, function(t)
  local _, peer = station()
  peer:send(eth{ dst = BROADCAST } / ip{} / echo())
  t:ok(peer:expect(icmp{ type = "echo-reply" }))
end)

tap.test("drop_unicast_in_l2_multicast = 1: unicast in a broadcast frame is discarded", function(t)
  local host, peer = station()
  host:sysctl("net.ipv4.conf.eth0.drop_unicast_in_l2_multicast", 1)
  peer:send(eth{ dst = BROADCAST } / ip{} / echo())
  t:shows("RFC1122-3.3.6-6", peer:expect_nothing { during = "1s" })
  t:is(host:drops("UNICAST_IN_L2_MULTICAST"), 1)
end)

tap.test("broadcasts and multicasts are counted with their octets", function(t)
  local host, peer = station()
  peer:send(ip{ dst = "255.255.255.255" } / udp{ sport = 5000, dport = 7, checksum = 1 } / ("b"):rep(72))
  peer:send(ip{ dst = "224.0.0.1" } / udp{ sport = 5000, dport = 7, checksum = 1 } / ("m"):rep(172))
  net.sleep "1ms"
  t:is(host:changes({}, "^IpExtIn[BM]cast"), { IpExtInBcastPkts = 1, IpExtInBcastOctets = 100,
    IpExtInMcastPkts = 1, IpExtInMcastOctets = 200 })
end)

tap.test("smurf: an echo request to a broadcast address is not answered", function(t)
  local host, peer = station()
  peer:send(ip{ dst = "192.0.2.255" } / echo())
  peer:send(ip{ dst = "255.255.255.255" } / echo())
  peer:expect_nothing { during = "1min" }
  t:is(host:drops("ICMP_BROADCAST"), 2)
end)

tap.test("an answer comes from the address that was asked, also a second one", function(t)
  local host, peer = station { addr = { "192.0.2.1/24", "192.0.2.2/24", "203.0.113.1/24" } }
  peer:send(ip{ dst = "192.0.2.2" } / echo())
  peer:expect(ip{ src = "192.0.2.2" } / icmp{ type = "echo-reply" })
  peer:send(ip{ dst = "203.0.113.1" } / echo())
  t:shows("RFC1122-3.3.4.2-1",
    peer:expect(ip{ src = "203.0.113.1" } / icmp{ type = "echo-reply" }))
  t:shows("RFC1122-3.1-3", t:is(host:counter("IpInDelivers"), 2))
end)

tap.test("an answer to a broadcast has the interface's address as its source", function(t)
  local host, peer = station()
  host:sysctl("net.ipv4.icmp_echo_ignore_broadcasts", 0)
  peer:send(ip{ dst = "192.0.2.255" } / echo())
  local reply = peer:expect(icmp{ type = "echo-reply" })
  t:shows("RFC1122-3.2.1.3-5", t:is(reply.ip.src, host.addr))
end)

tap.test("what the host sends has its own address as source", function(t)
  local host, peer = station()
  host:socket "udp":sendto("x", peer.addr, 9)
  local sent = peer:expect(eth{} / ip{} / udp{ dport = 9 }, { defaults = false })
  t:shows("RFC1122-3.2.1.3-2", t:is(sent.ip.src, host.addr))
end)

tap.test("the mask decides: a neighbour inside it, the gateway outside", function(t)
  local host = net.host { addr = "192.0.2.1/25", gateway = "192.0.2.100" }
  local near = host.wire:peer { addr = "192.0.2.126" }
  local far = host.wire:peer { addr = "192.0.2.100" }
  local socket = host:socket "udp"
  socket:sendto("near", "192.0.2.126", 9)
  near:expect(udp{ dport = 9 } / "near", { within = "1ms" })
  socket:sendto("far", "192.0.2.129", 9)
  local frame = far:expect(ip{ dst = "192.0.2.129" } / udp{ dport = 9 } / "far", { within = "1ms" })
  t:shows("RFC1122-3.3.1.1-1", t:is(frame.eth.dst, far.mac))
  t:shows("RFC1122-3.3.1.2-3", t:is(frame.ip.dst, "192.0.2.129"))
end)

tap.test("without a gateway the connected network works and others are unreachable", function(t)
  local host, peer = station()
  local socket = host:socket "udp"
  socket:sendto("x", peer.addr, 9)
  t:shows("RFC1122-3.3.1.1-2", peer:expect(udp{ dport = 9 } / "x", { within = "1ms" }))
  t:is({ socket:try("sendto", "x", "203.0.113.1", 9) }, { nil, "ENETUNREACH" })
  t:is(host:counter("IpOutNoRoutes"), 1)
end)

tap.test("an application sets TTL and TOS; TTL 0 is refused", function(t)
  local host = net.host { addr = "192.0.2.1/24" }
  local peer = host.wire:peer { addr = "192.0.2.9" }
  host:neigh { addr = peer.addr, mac = peer.mac }
  local socket = host:socket "udp"
  for _, ttl in ipairs { 1, 2, 255 } do
    socket:option("IP_TTL", ttl)
    socket:sendto("x", peer.addr, 9)
    t:shows("RFC1122-3.2.1.7-3", peer:expect(ip{ ttl = ttl } / udp{ dport = 9 }))
  end
  t:shows("RFC1122-3.2.1.7-1", t:is({ socket:try("option", "IP_TTL", 0) }, { nil, "EINVAL" }))
  t:is({ socket:try("option", "IP_TTL", 256) }, { nil, "EINVAL" })
  socket:option("IP_TOS", 0xb8)
  socket:sendto("x", peer.addr, 9)
  t:shows("RFC1122-3.2.1.6-1", peer:expect(ip{ tos = 0xb8 } / udp{ dport = 9 }))
end)

tap.test("the default TTL follows its sysctl, 1 to 255", function(t)
  local host = net.host { addr = "192.0.2.1/24" }
  local peer = host.wire:peer { addr = "192.0.2.9" }
  host:neigh { addr = peer.addr, mac = peer.mac }
  for seq, ttl in ipairs { 1, 64, 255 } do
    host:sysctl("net.ipv4.ip_default_ttl", ttl)
    peer:send(icmp{ type = "echo", id = 1, seq = seq })
    t:shows("RFC1122-3.2.1.7-4", peer:expect(ip{ ttl = ttl } / icmp{ type = "echo-reply", seq = seq }))
  end
  t:error(function() host:sysctl("net.ipv4.ip_default_ttl", 0) end, "EINVAL")
  t:error(function() host:sysctl("net.ipv4.ip_default_ttl", 256) end, "EINVAL")
end)
