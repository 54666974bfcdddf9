-- SPDX-License-Identifier: MIT
-- RFC 792 "Echo or Echo Reply Message", RFC 1122 3.2.2.6: every host answers echo requests.
local tap = require "tap"
local net = require "net"
local station = require("suite.station").pair
local eth, ip, icmp = net.eth, net.ip, net.icmp

tap.test("an echo reply has the request's identifier, sequence number and data, and its addresses reversed",
  function(t)
    local host, peer = station()
    local before = host:counters()
    peer:send(icmp{ type = "echo", id = 0xbeef, seq = 0xffff } / "abcdefgh")
    local reply = peer:expect(eth{ src = host.mac, dst = peer.mac } /
      ip{ src = "192.0.2.1", dst = "192.0.2.9", proto = 1, len = 36 } /
      icmp{ type = 0, code = 0, id = 0xbeef, seq = 0xffff } / "abcdefgh")
    t:shows("RFC792-Echo-1", reply)
    t:shows("RFC1122-3.2.2.6-1", t:is(host:changes(before, "^Icmp"), { IcmpInMsgs = 1,
      IcmpInEchos = 1, IcmpOutMsgs = 1, IcmpOutEchoReps = 1, IcmpMsgInType8 = 1, IcmpMsgOutType0 = 1 }))
    t:like(host:proc("/proc/net/snmp"), "\nIcmpMsg: InType8 OutType0\nIcmpMsg: 1 1\n")
  end)

for _, size in ipairs { 0, 1, 2, 17, 18, 19, 1471, 1472 } do
  tap.test(("%d octets of echo data come back unchanged"):format(size), function(t)
    local _, peer = station()
    local data = {}
    for i = 1, size do data[i] = string.char(i * 7 % 256) end
    data = table.concat(data)
    peer:send(icmp{ type = "echo", id = 1, seq = size } / data)
    local reply = peer:expect(icmp{ type = "echo-reply", id = 1, seq = size } / data)
    t:shows("RFC1122-3.2.2.6-6", t:is(reply.ip.len, 28 + size))
  end)
end

tap.test("the largest echo, 65507 octets of data in fragments, is answered in fragments", function(t)
  local host, peer = station()
  local data = ("tapline "):rep(8189):sub(1, 65507)
  local packet = ip{ src = peer.addr, dst = host.addr, id = 77 } /
    icmp{ type = "echo", id = 5, seq = 1 } / data
  local cuts = {}
  for at = 1480, 65500, 1480 do cuts[#cuts + 1] = at end
  for _, piece in ipairs(net.fragments(packet, cuts)) do peer:send(piece) end
  local frames = peer:collect { during = "10ms" }
  t:is(#frames, 45)
  local body = {}
  for i, frame in ipairs(frames) do
    t:is(frame.ip.off * 8, (i - 1) * 1480)
    t:is(frame.ip.mf, i < 45)
    body[i] = frame.payload
  end
  body[1] = body[1]:sub(-1472)
  t:shows("RFC1122-3.2.2.6-6", t:is(table.concat(body) == data, true))
  t:is(host:counter("IpReasmOKs"), 1)
  t:is(host:counter("IpFragCreates"), 45)
end)

tap.test("an echo reply comes from the very address that was asked", function(t)
  local host, peer = station { addr = { "192.0.2.1/24", "192.0.2.3/24", "198.51.100.1/32" } }
  for _, addr in ipairs { "192.0.2.3", "198.51.100.1" } do
    peer:send(ip{ dst = addr } / icmp{ type = "echo", id = 1, seq = 1 })
    t:shows("RFC1122-3.2.2.6-5", peer:expect(ip{ src = addr } / icmp{ type = "echo-reply" }))
  end
  t:is(host:counter("IcmpOutEchoReps"), 2)
end)

tap.test("an echo reply starts with the host's own TTL, whatever was left of the request's", function(t)
  local _, peer = station()
  peer:send(ip{ ttl = 1 } / icmp{ type = "echo", id = 1, seq = 1 })
  t:shows("RFC1812-4.3.2.2-1", peer:expect(ip{ ttl = 64 } / icmp{ type = "echo-reply" }))
end)

tap.test("an echo reply has the TOS of the request", function(t)
  local _, peer = station()
  peer:send(ip{ tos = 0x48 } / icmp{ type = "echo", id = 1, seq = 1 })
  local reply = peer:expect(ip{ tos = 0x48 } / icmp{ type = "echo-reply" })
  t:is(reply.ip.tos, 0x48)
end)

tap.test("an echo request to a broadcast address is discarded, as icmp_echo_ignore_broadcasts says",
  function(t)
    local host, peer = station()
    for _, addr in ipairs { "192.0.2.255", "255.255.255.255" } do
      peer:send(ip{ dst = addr } / icmp{ type = "echo", id = 1, seq = 1 })
      t:shows("RFC1122-3.2.2.6-3", peer:expect_nothing { during = "1s" })
    end
    t:is(host:drops("ICMP_BROADCAST"), 2)
    t:is(host:counter("IcmpInErrors"), 2)
  end)

tap.test("an echo request to a multicast group is discarded", function(t)
  local host, peer = station()
  peer:send(ip{ dst = "224.0.0.1" } / icmp{ type = "echo", id = 1, seq = 1 })
  t:shows("RFC1122-3.2.2.6-4", peer:expect_nothing { during = "1s" })
  t:is(host:drops("ICMP_BROADCAST"), 1)
end)

tap.test("with icmp_echo_ignore_broadcasts off the reply comes from the interface's own address",
  function(t)
    local _, peer = station { sysctl = { ["net.ipv4.icmp_echo_ignore_broadcasts"] = 0 } }
    for _, addr in ipairs { "192.0.2.255", "255.255.255.255", "224.0.0.1" } do
      peer:send(ip{ dst = addr } / icmp{ type = "echo", id = 1, seq = 1 } / "x")
      t:shows("RFC1122-3.2.2.6-5",
        peer:expect(ip{ src = "192.0.2.1" } / icmp{ type = "echo-reply", id = 1 } / "x"))
    end
  end)

tap.test("icmp_echo_ignore_all silences the echo server and nothing else", function(t)
  local host, peer = station { sysctl = { ["net.ipv4.icmp_echo_ignore_all"] = 1 } }
  peer:send(icmp{ type = "echo", id = 1, seq = 1 })
  peer:expect_nothing { during = "1s" }
  t:is(host:counter("IcmpInEchos"), 1)
  t:is(host:counter("IcmpOutMsgs"), 0)
  peer:send(icmp{ type = "timestamp", id = 1, seq = 1 })
  peer:expect(icmp{ type = "timestamp-reply" })
  host:sysctl("net.ipv4.icmp_echo_ignore_all", 0)
  peer:send(icmp{ type = "echo", id = 1, seq = 2 })
  peer:expect(icmp{ type = "echo-reply", seq = 2 })
end)

tap.test("an echo request with a wrong ICMP checksum is counted and not answered", function(t)
  local host, peer = station()
  local before = host:counters()
  peer:send(icmp{ type = "echo", id = 1, seq = 1, checksum = 0x1234 } / "data")
  t:shows("RFC792-Formats-2", peer:expect_nothing { during = "1s" })
  t:is(host:changes(before, "^Icmp"), { IcmpInMsgs = 1, IcmpInErrors = 1, IcmpInCsumErrors = 1 })
  t:is(host:drops("ICMP_CSUM"), 1)
end)

tap.test("one flipped bit anywhere in an echo request's data is found", function(t)
  local host, peer = station()
  local good = net.parse((ip{ src = peer.addr, dst = host.addr } /
    icmp{ type = "echo", id = 1, seq = 1 } / ("\0"):rep(8)):bytes(), "ip").icmp.checksum
  for bit = 0, 63 do
    local data = ("<I8"):pack(1 << bit)
    peer:send(icmp{ type = "echo", id = 1, seq = 1, checksum = good } / data)
  end
  t:shows("RFC792-Formats-2", peer:expect_nothing { during = "10ms" })
  t:is(host:counter("IcmpInCsumErrors"), 64)
end)

tap.test("an ICMP message shorter than its 8-octet header is an error and not answered", function(t)
  local host, peer = station()
  for size = 0, 7 do
    -- Echo request: type 8, the right checksum of so few octets.
    local body = ("\8\0\xf7\xff\0\0\0\0"):sub(1, size)
    if size < 4 then body = ("\xff"):rep(size) end
    peer:send(ip{ proto = 1 } / body)
  end
  peer:expect_nothing { during = "1s" }
  t:is(host:counter("IcmpInMsgs"), 8)
  t:is(host:counter("IcmpInErrors"), 8)
  t:is(host:counter("IcmpOutMsgs"), 0)
end)

tap.test("an echo reply that nobody asked for ends in silence", function(t)
  local host, peer = station()
  peer:send(icmp{ type = "echo-reply", id = 1, seq = 1 } / "data")
  peer:expect_nothing { during = "1s" }
  t:is(host:counter("IcmpInEchoReps"), 1)
  t:is(host:drops("NO_SOCKET"), 1)
end)

tap.test("the code of an echo request does not matter, and comes back", function(t)
  local _, peer = station()
  for _, code in ipairs { 1, 255 } do
    peer:send(icmp{ type = "echo", code = code, id = 1, seq = 1 } / "z")
    local reply = peer:expect(icmp{ type = 0, code = code, id = 1, seq = 1 } / "z")
    t:is(reply.icmp.code, code)
  end
end)

-- Options: a record route with room for one more address, a time stamp, a loose source route.
tap.test("a Record Route option is reflected in the echo reply, with the host's address added",
  function(t)
    local _, peer = station()
    peer:send(ip{ options = "\7\11\4\0\0\0\0\0\0\0\0\0" } / icmp{ type = "echo", id = 1, seq = 1 })
    local reply = peer:expect(ip{ ihl = 8 } / icmp{ type = "echo-reply" })
    t:shows("RFC1122-3.2.2.6-8",
      t:is(reply.ip.options:sub(1, 11), "\7\11\12\192\0\2\1\192\0\2\1"))
  end)

tap.test("an echo reply goes back along the reversed source route", function(t)
  local host = net.host { addr = "192.0.2.1/24",
    sysctl = { ["net.ipv4.conf.all.accept_source_route"] = 1 } }
  local peer = host.wire:peer { addr = "192.0.2.9" }
  local router = host.wire:peer { addr = "192.0.2.254" }
  -- At the end of its route: the pointer is past the list. It came by 192.0.2.254.
  peer:send(ip{ src = "192.0.2.9", options = "\131\7\8\192\0\2\254\0" } /
    icmp{ type = "echo", id = 1, seq = 1 })
  local reply = router:expect(ip{ src = "192.0.2.1", dst = "192.0.2.254" } /
    icmp{ type = "echo-reply" }, { defaults = false })
  t:shows("RFC1122-3.2.2.6-9", t:is(reply.ip.options, "\131\7\4\192\0\2\9\0"))
end)

tap.test("a source route with hops left that names this host as next hop is refused without an answer",
  function(t)
    local host, peer = station()
    peer:send(ip{ options = "\131\7\4\198\51\100\7\0" } / icmp{ type = "echo", id = 1, seq = 1 })
    peer:expect_nothing { during = "1s" }
    t:is(host:drops("IP_OPTIONS"), 1)
    t:is(host:counter("IcmpInMsgs"), 0)
  end)
