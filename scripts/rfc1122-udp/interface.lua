-- SPDX-License-Identifier: MIT
-- The whole of IP for the application (RFC 1122 3.4, 4.1.3, 4.1.4): addresses, TTL, TOS, options,
-- ICMP errors, broadcast, multicast.
local tap = require "tap"
local net = require "net"
local station = require("suite.station").udp
local eth, ip, icmp, udp = net.eth, net.ip, net.icmp, net.udp

local function got(socket)
  return (socket:try("recv", { flags = "dontwait" }))
end

-- mreqn of IP_ADD_MEMBERSHIP: group, local address, interface.
local function mreqn(group, ifindex)
  local bytes = ""
  for n in group:gmatch("%d+") do bytes = bytes .. string.char(tonumber(n)) end
  return bytes .. "\0\0\0\0" .. ("<I4"):pack(ifindex or 0)
end

-- Control messages --------------------------------------------------------------------------------

tap.test("IP_PKTINFO tells the address a datagram was sent to and the interface", function(t)
  local host, peer, socket = station { addr = { "192.0.2.1/24", "192.0.2.3/24" } }
  socket:option("IP_PKTINFO", 1)
  peer:send(ip{ dst = "192.0.2.3" } / udp{} / "x")
  local _, info = socket:recv()
  t:shows("RFC1122-4.1.3.5-1", t:is(info.cmsg.IP_PKTINFO,
    { ifindex = host.nics[1].ifindex, spec_dst = "192.0.2.3", addr = "192.0.2.3" }))
  peer:send(ip{ dst = "192.0.2.255" } / udp{} / "x")
  _, info = socket:recv()
  t:is(info.cmsg.IP_PKTINFO,
    { ifindex = host.nics[1].ifindex, spec_dst = "192.0.2.1", addr = "192.0.2.255" })
end)

tap.test("with IP_PKTINFO the sender chooses the source address of one datagram", function(t)
  local _, peer, socket = station { addr = { "192.0.2.1/24", "192.0.2.3/24" } }
  socket:sendto("x", peer.addr, 5000, { control = { IP_PKTINFO = { spec_dst = "192.0.2.3" } } })
  t:shows("RFC1122-4.1.3.5-2", peer:expect(ip{ src = "192.0.2.3" } / udp{} / "x"))
  socket:sendto("y", peer.addr, 5000)
  peer:expect(ip{ src = "192.0.2.1" } / udp{} / "y")
end)

tap.test("a source address that is not the host's can not be chosen", function(t)
  local _, peer, socket = station()
  t:isnt(select(2, socket:try("sendto", "x", peer.addr, 5000,
    { control = { IP_PKTINFO = { spec_dst = "192.0.2.77" } } })), nil)
  t:shows("RFC1122-4.1.3.6-2", peer:expect_nothing { during = "1s" })
end)

tap.test("TTL and TOS of a datagram are the application's to choose, for all or for one", function(t)
  local _, peer, socket = station()
  socket:option("IP_TTL", 3)
  socket:option("IP_TOS", 0x48)
  socket:sendto("a", peer.addr, 5000)
  t:shows("RFC1122-4.1.4-2", peer:expect(ip{ ttl = 3, tos = 0x48 } / udp{} / "a"))
  socket:sendto("b", peer.addr, 5000, { control = { IP_TTL = 255, IP_TOS = 0x10 } })
  peer:expect(ip{ ttl = 255, tos = 0x10 } / udp{} / "b")
  socket:option("IP_TTL", -1)
  socket:sendto("c", peer.addr, 5000)
  peer:expect(ip{ ttl = 64, tos = 0x48 } / udp{} / "c")
end)

tap.test("TTLs of 0 and above 255 are refused", function(t)
  local _, peer, socket = station()
  for _, ttl in ipairs { 0, 256, -2 } do
    t:is(select(2, socket:try("option", "IP_TTL", ttl)), "EINVAL")
    t:is(select(2, socket:try("sendto", "x", peer.addr, 9, { control = { IP_TTL = ttl } })), "EINVAL")
  end
  peer:expect_nothing()
end)

tap.test("the ECN field is the application's too, both ways", function(t)
  local _, peer, socket = station()
  socket:option("IP_RECVTOS", 1)
  for _, ecn in ipairs { 1, 2, 3 } do
    socket:sendto("x", peer.addr, 5000, { control = { IP_TOS = ecn } })
    peer:expect(ip{ tos = ecn } / udp{} / "x")
    peer:send(ip{ tos = 0xb8 | ecn } / udp{} / "y")
    local _, info = socket:recv()
    t:shows("RFC8085-3.1.7-1", t:is(info.cmsg.IP_TOS, 0xb8 | ecn))
  end
end)

tap.test("IP_RECVTOS and IP_RECVTTL tell the TOS and the TTL of what came", function(t)
  local _, peer, socket = station()
  socket:option("IP_RECVTOS", 1)
  socket:option("IP_RECVTTL", 1)
  peer:send(ip{ tos = 0x2a, ttl = 77 } / udp{} / "x")
  local _, info = socket:recv()
  t:shows("RFC1122-4.1.4-3", t:is(info.cmsg.IP_TOS, 0x2a))
  t:is(info.cmsg.IP_TTL, 77)
end)

tap.test("IP_RECVORIGDSTADDR tells where a datagram was sent to, with its port", function(t)
  local _, peer, socket = station()
  socket:option("IP_RECVORIGDSTADDR", 1)
  peer:send(udp{} / "x")
  local _, info = socket:recv()
  t:shows("RFC1122-4.1.3.5-1",
    t:is(info.cmsg.IP_RECVORIGDSTADDR, { addr = "192.0.2.1", port = 7 }))
end)

tap.test("SO_TIMESTAMPNS tells when a datagram came", function(t)
  local _, peer, socket = station()
  socket:option("SO_TIMESTAMPNS", 1)
  net.sleep("3s")
  peer:send(udp{} / "x")
  net.sleep("2s")
  local _, info = socket:recv()
  t:is(info.cmsg.SO_TIMESTAMPNS, 3000001000)
end)

tap.test("control messages that do not fit are cut off and flagged MSG_CTRUNC", function(t)
  local _, peer, socket = station()
  socket:option("IP_RECVTTL", 1)
  socket:option("IP_PKTINFO", 1)
  peer:send(udp{} / "x")
  local data, info = socket:recv { control_size = 32 }
  t:is({ data, info.flags & net.C.MSG_CTRUNC }, { "x", net.C.MSG_CTRUNC })
  peer:send(udp{} / "y")
  data, info = socket:recv()
  t:is({ data, info.flags & net.C.MSG_CTRUNC, info.cmsg.IP_TTL }, { "y", 0, 64 })
end)

-- IP options --------------------------------------------------------------------------------------

tap.test("IP options that came with a datagram are passed to the application", function(t)
  local _, peer, socket = station()
  socket:option("IP_RECVOPTS", 1)
  socket:option("IP_RETOPTS", 1)
  peer:send(ip{ options = "\7\11\4\0\0\0\0\0\0\0\0\0" } / udp{} / "x")
  local _, info = socket:recv()
  t:shows("RFC1122-4.1.3.2-1",
    t:is(info.cmsg.IP_RECVOPTS, "\7\11\8\192\0\2\1\0\0\0\0\0"))
  t:is(info.cmsg.IP_RETOPTS:sub(1, 7), "\7\11\12\192\0\2\1")
end)

tap.test("the application's IP options go out with its datagrams", function(t)
  local _, peer, socket = station()
  socket:option("IP_OPTIONS", "\148\4\0\0")
  socket:sendto("all", peer.addr, 5000)
  t:shows("RFC1122-4.1.3.2-3", peer:expect(ip{ ihl = 6, options = "\148\4\0\0" } / udp{} / "all"))
  socket:option("IP_OPTIONS", "")
  socket:sendto("plain", peer.addr, 5000)
  peer:expect(ip{ ihl = 5 } / udp{} / "plain")
  socket:sendto("one", peer.addr, 5000, { control = { IP_RETOPTS = "\148\4\0\0" } })
  t:shows("RFC1122-4.1.3.2-2", peer:expect(ip{ ihl = 6, options = "\148\4\0\0" } / udp{} / "one"))
end)

tap.test("IP options that are malformed or too long are refused", function(t)
  local _, peer, socket = station()
  for _, options in ipairs { "\7\2\0\0", "\7\40\4\0", ("\1"):rep(41), "\131\7\3\192\0\2\1\0" } do
    t:is(select(2, socket:try("option", "IP_OPTIONS", options)), "EINVAL")
  end
  socket:sendto("plain", peer.addr, 5000)
  peer:expect(ip{ ihl = 5 } / udp{} / "plain")
end)

-- ICMP errors -------------------------------------------------------------------------------------

tap.test("port unreachable makes the next call of a connected socket fail, once", function(t)
  for _, call in ipairs { "recv", "send" } do
    local host, peer, socket = station()
    socket:connect(peer.addr, 5000)
    socket:send("data")
    local packet = net.parse(peer:expect(udp{} / "data"):bytes():sub(15, 46), "ip")
    peer:send(icmp{ type = "dest-unreach", code = "port", rest = 0 } / packet)
    net.sleep("1ms")
    t:shows("RFC1122-4.1.3.3-1", t:is(select(2, socket:try(call, call == "send" and "x" or nil)), "ECONNREFUSED"))
    socket:send("again")
    peer:expect(udp{} / "again")
    t:is(got(socket), nil)
  end
end)

tap.test("port unreachable wakes a reader that waits", function(t)
  local host, peer, socket = station()
  socket:connect(peer.addr, 5000)
  socket:send("data")
  local packet = net.parse(peer:expect(udp{} / "data"):bytes():sub(15, 46), "ip")
  local reader = net.spawn(function() return select(2, socket:try("recv")) end)
  net.sleep("1s")
  peer:send(icmp{ type = "dest-unreach", code = "port", rest = 0 } / packet)
  t:shows("RFC1122-4.1.3.3-1", t:is(reader:join(), "ECONNREFUSED"))
  t:is(t:now(), 1000002000)
end)

tap.test("a socket that is not connected hears of no ICMP error unless it asked", function(t)
  local host, peer, socket = station()
  local function refuse(text)
    socket:sendto(text, peer.addr, 5000)
    local packet = net.parse(peer:expect(udp{} / text):bytes():sub(15, 46), "ip")
    peer:send(icmp{ type = "dest-unreach", code = "port", rest = 0 } / packet)
    net.sleep("1ms")
  end
  refuse "one1"
  t:is(select(2, socket:try("recv", { flags = "dontwait" })), "EAGAIN")
  socket:option("IP_RECVERR", 1)
  refuse "two2"
  t:shows("RFC1122-4.1.3.3-1",
    t:is(select(2, socket:try("recv", { flags = "dontwait" })), "ECONNREFUSED"))
  local data, info = socket:recv { flags = "errqueue" }
  t:is({ data, info.addr, info.port }, { "two2", peer.addr, 5000 })
end)

tap.test("the error queue keeps all errors in order; without IP_RECVERR it is emptied", function(t)
  local host, peer, socket = station()
  socket:option("IP_RECVERR", 1)
  for code = 0, 3 do
    socket:sendto("msg" .. code, peer.addr, 5000)
    t:is(select(2, socket:try("recv", { flags = "dontwait errqueue" })), "EAGAIN")
    local packet = net.parse(peer:expect(udp{}):bytes():sub(15, 46), "ip")
    if code < 3 then
      peer:send(icmp{ type = "dest-unreach", code = code, rest = 0 } / packet)
      net.sleep("1ms")
      socket:try("recv", { flags = "dontwait" })
      local data, info = socket:recv { flags = "errqueue" }
      t:is({ data, info.cmsg.IP_RECVERR.code }, { "msg" .. code, code })
    else
      for repeated = 1, 3 do
        peer:send(icmp{ type = "dest-unreach", code = repeated, rest = 0 } / packet)
      end
      net.sleep("1ms")
    end
  end
  local _, info = socket:recv { flags = "errqueue" }
  t:is(info.cmsg.IP_RECVERR.code, 1)
  socket:option("IP_RECVERR", 0)
  t:is(select(2, socket:try("recv", { flags = "dontwait errqueue" })), "EAGAIN")
end)

-- Broadcast ---------------------------------------------------------------------------------------

tap.test("broadcasting needs SO_BROADCAST, else EACCES", function(t)
  local host, peer, socket = station { gateway = "192.0.2.254" }
  for _, addr in ipairs { "192.0.2.255", "255.255.255.255" } do
    t:is(select(2, socket:try("sendto", "x", addr, 9)), "EACCES")
    t:is(select(2, socket:try("connect", addr, 9)), "EACCES")
  end
  peer:expect_nothing()
  socket:option("SO_BROADCAST", 1)
  for _, addr in ipairs { "192.0.2.255", "255.255.255.255" } do
    socket:sendto("x", addr, 9)
    t:ok(peer:expect(eth{ dst = "ff:ff:ff:ff:ff:ff" } / ip{ dst = addr } / udp{ dport = 9 } / "x"))
    got(socket)
  end
end)

tap.test("a broadcast datagram is delivered to every socket of the port", function(t)
  local host, peer = station()
  local list = {}
  for i = 1, 3 do
    list[i] = host:socket "udp"
    list[i]:option("SO_REUSEADDR", 1)
    list[i]:bind(68)
  end
  local other = host:socket "udp"
  other:bind("192.0.2.1", 69)
  peer:send(ip{ dst = "255.255.255.255" } / udp{ dport = 68 } / "offer")
  peer:send(ip{ dst = "192.0.2.255" } / udp{ dport = 69 } / "not for a bound address")
  net.sleep("1ms")
  for i = 1, 3 do t:is({ got(list[i]), got(list[i]) }, { "offer" }) end
  t:is(got(other), nil)
  t:is(host:counter("UdpIgnoredMulti"), 1)
end)

-- Multicast ---------------------------------------------------------------------------------------

tap.test("a group's datagrams come to the sockets that joined it, once each, and stop when they leave",
  function(t)
    local host, peer, socket = station()
    socket:option("IP_MULTICAST_ALL", 0)
    local member = mreqn("239.1.2.3", host.nics[1].ifindex)
    local function send()
      peer:send(ip{ dst = "239.1.2.3" } / udp{} / "group")
      peer:collect { during = "1ms" }
      return got(socket)
    end
    t:is(send(), nil)
    socket:option("IP_ADD_MEMBERSHIP", member)
    t:is(send(), "group")
    t:is(got(socket), nil)
    t:is(select(2, socket:try("option", "IP_ADD_MEMBERSHIP", member)), "EADDRINUSE")
    socket:option("IP_DROP_MEMBERSHIP", member)
    t:is(send(), nil)
    t:is(select(2, socket:try("option", "IP_DROP_MEMBERSHIP", member)), "EADDRNOTAVAIL")
    peer:collect { during = "10s" }
  end)

tap.test("a wildcard socket hears groups of others too, as IP_MULTICAST_ALL is on", function(t)
  local host, peer, socket = station()
  local member = host:socket "udp"
  member:bind(8)
  member:option("IP_ADD_MEMBERSHIP", mreqn("239.1.2.3", host.nics[1].ifindex))
  peer:send(ip{ dst = "239.1.2.3" } / udp{} / "overheard")
  peer:collect { during = "1ms" }
  t:is(got(socket), "overheard")
  t:is(got(member), nil)
  peer:collect { during = "10s" }
end)

tap.test("joining what is no group is EINVAL", function(t)
  local _, _, socket = station()
  for _, addr in ipairs { "192.0.2.9", "223.255.255.255", "240.0.0.1" } do
    t:is(select(2, socket:try("option", "IP_ADD_MEMBERSHIP", mreqn(addr, 2))), "EINVAL")
  end
end)

tap.test("multicast goes out with TTL 1 by the interface that was chosen, with the TTL that was chosen",
  function(t)
    local host, peer, socket = station()
    local second = host:nic { addr = "198.51.100.1/24" }
    local far = second.wire:peer { addr = "198.51.100.9", port = 5000 }:to(7)
    socket:option("IP_MULTICAST_LOOP", 0)
    socket:option("IP_MULTICAST_IF", mreqn("0.0.0.0", second.ifindex))
    socket:sendto("m", "239.1.2.3", 9)
    t:shows("RFC1112-6.1-2", far:expect(eth{ dst = "01:00:5e:01:02:03" } /
      ip{ src = "198.51.100.1", dst = "239.1.2.3", ttl = 1 } / udp{ dport = 9 } / "m"))
    socket:option("IP_MULTICAST_TTL", 32)
    socket:sendto("n", "239.1.2.3", 9)
    far:expect(ip{ dst = "239.1.2.3", ttl = 32 } / udp{ dport = 9 } / "n")
    peer:expect_nothing()
  end)

tap.test("IP_MULTICAST_LOOP says whether the host hears its own datagrams", function(t)
  local host, peer, socket = station()
  host:route { dst = "224.0.0.0/4", dev = host.nics[1] }
  local member = host:socket "udp"
  member:bind(9)
  member:option("IP_ADD_MEMBERSHIP", mreqn("239.1.2.3", host.nics[1].ifindex))
  for _, loop in ipairs { 1, 0 } do
    socket:option("IP_MULTICAST_LOOP", loop)
    socket:sendto("echo" .. loop, "239.1.2.3", 9)
    peer:collect { during = "1ms" }
    t:shows("RFC1112-6.1-2", t:is(got(member), loop == 1 and "echo1" or nil))
  end
  peer:collect { during = "10s" }
end)

-- Echo loops --------------------------------------------------------------------------------------

-- The echo and chargen loop: a stack without such servers answers once, with an error, and that
-- error is answered by nothing.
tap.test("two closed ports of two hosts do not answer each other for ever", function(t)
  local a = net.host { addr = "192.0.2.1/24" }
  local b = net.host { addr = "192.0.2.2/24", wire = a.wire }
  local socket = a:socket "udp"
  socket:bind(7)
  socket:sendto("ping", "192.0.2.2", 19)
  socket:close()
  net.sleep("10s")
  t:is(b:counter("IcmpOutDestUnreachs"), 1)
  t:is(a:counter("IcmpOutMsgs"), 0)
  t:is(a:counter("IcmpInErrors"), 1)
end)
