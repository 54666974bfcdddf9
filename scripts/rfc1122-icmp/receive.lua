-- SPDX-License-Identifier: MIT
-- ICMP errors that a host receives: to the transport protocol and its socket, if the quote is of a
-- packet that was really sent (RFC 1122 3.2.2, 4.1.3.3; RFC 8085 5.2).
local tap = require "tap"
local net = require "net"
local station = require("suite.station").ports
local ip, icmp, udp, raw = net.ip, net.icmp, net.udp, net.raw

-- A socket that is bound, connected, and has sent one datagram; and that datagram's packet.
local function sender(host, peer, recverr)
  local socket = host:socket "udp"
  socket:bind(7)
  socket:connect(peer.addr, peer.port)
  socket:option("IP_RECVERR", recverr and 1 or 0)
  socket:send("data")
  local packet = net.parse(peer:expect(udp{} / "data"):bytes():sub(15, 14 + 32), "ip")
  return socket, packet
end

-- Code, errno, and whether a connected socket is told without having asked for it.
local unreachable = {
  { 0, "ENETUNREACH", false }, { 1, "EHOSTUNREACH", false }, { 2, "ENOPROTOOPT", true },
  { 3, "ECONNREFUSED", true }, { 5, "EOPNOTSUPP", false }, { 6, "ENETUNREACH", true },
  { 7, "EHOSTDOWN", true }, { 8, "ENONET", true }, { 9, "ENETUNREACH", true },
  { 10, "EHOSTUNREACH", true }, { 11, "ENETUNREACH", false }, { 12, "EHOSTUNREACH", false },
  { 13, "EHOSTUNREACH", true }, { 14, "EHOSTUNREACH", true }, { 15, "EHOSTUNREACH", true },
}

for _, case in ipairs(unreachable) do
  local code, errno, hard = table.unpack(case)
  tap.test(("destination unreachable code %d is %s to a socket with IP_RECVERR"):format(code, errno),
    function(t)
      local host, peer = station()
      local socket, packet = sender(host, peer, true)
      peer:send(icmp{ type = "dest-unreach", code = code, rest = 0 } / packet)
      t:shows("RFC1122-3.2.2.1-2", t:is(select(2, socket:try("recv")), errno))
      local data, info = socket:recv { flags = "errqueue" }
      t:is(data, "data")
      local e = info.cmsg.IP_RECVERR
      t:is({ e.origin, e.type, e.code, e.info, e.offender },
        { net.C.SO_EE_ORIGIN_ICMP, 3, code, 0, peer.addr })
      t:is(host:counter("IcmpInDestUnreachs"), 1)
    end)

  tap.test(("destination unreachable code %d is %s for a connected socket"):format(code,
    hard and "fatal" or "only a hint"), function(t)
      local host, peer = station()
      local socket, packet = sender(host, peer, false)
      peer:send(icmp{ type = "dest-unreach", code = code, rest = 0 } / packet)
      net.sleep("1ms")
      local err = select(2, socket:try("recv", { flags = "dontwait" }))
      if hard then
        t:shows("RFC1122-3.2.2.1-3", t:is(err, errno))
      else
        t:shows("RFC1122-3.2.2.1-4", t:is(err, "EAGAIN"))
      end
      socket:send("on it goes")
      peer:expect(udp{} / "on it goes")
    end)
end

tap.test("destination unreachable codes above 15 reach no socket", function(t)
  local host, peer = station()
  local socket, packet = sender(host, peer, true)
  for _, code in ipairs { 16, 17, 255 } do
    peer:send(icmp{ type = "dest-unreach", code = code, rest = 0 } / packet)
  end
  peer:expect_nothing { during = "1ms" }
  t:is(select(2, socket:try("recv", { flags = "dontwait" })), "EAGAIN")
  t:is(host:drops("ICMP_TYPE"), 3)
end)

tap.test("time exceeded in transit is a hint, and told to a socket with IP_RECVERR", function(t)
  local host, peer = station()
  local socket, packet = sender(host, peer, false)
  peer:send(icmp{ type = "time-exceeded", code = "ttl", rest = 0 } / packet)
  net.sleep("1ms")
  t:is(select(2, socket:try("recv", { flags = "dontwait" })), "EAGAIN")
  socket:option("IP_RECVERR", 1)
  peer:send(icmp{ type = "time-exceeded", code = "ttl", rest = 0 } / packet)
  t:shows("RFC1122-3.2.2.4-1", t:is(select(2, socket:try("recv")), "EHOSTUNREACH"))
  local _, info = socket:recv { flags = "errqueue" }
  t:is({ info.cmsg.IP_RECVERR.type, info.cmsg.IP_RECVERR.code }, { 11, 0 })
end)

-- docs/divergences.md: RFC 1122 wants every time exceeded passed up, Linux keeps code 1.
tap.test("profile linux: time exceeded in reassembly ends in the IP layer", { profile = "linux" }, function(t)
  local host, peer = station()
  local socket, packet = sender(host, peer, true)
  peer:send(icmp{ type = "time-exceeded", code = "reassembly", rest = 0 } / packet)
  net.sleep("1ms")
  t:is(select(2, socket:try("recv", { flags = "dontwait" })), "EAGAIN")
  t:is(host:counter("IcmpInTimeExcds"), 1)
end)

tap.test("parameter problem is EPROTO for a connected socket, with its pointer in the error queue",
  function(t)
    local host, peer = station()
    local socket, packet = sender(host, peer, false)
    peer:send(icmp{ type = "param-problem", code = 0, pointer = 9 } / packet)
    t:shows("RFC1122-3.2.2.5-2", t:is(select(2, socket:try("recv")), "EPROTO"))
    socket:option("IP_RECVERR", 1)
    peer:send(icmp{ type = "param-problem", code = 0, pointer = 9 } / packet)
    net.sleep("1ms")
    local _, info = socket:recv { flags = "errqueue" }
    t:shows("RFC1122-3.2.2.5-3", t:is(info.cmsg.IP_RECVERR.info, 9))
  end)

-- The quote ---------------------------------------------------------------------------------------

tap.test("eight octets behind the quoted header are enough, seven are not", function(t)
  local host, peer = station()
  local socket, packet = sender(host, peer, true)
  local bytes = packet:bytes()
  for size = 0, 27 do
    peer:send(icmp{ type = "dest-unreach", code = "port", rest = 0 } / raw(bytes:sub(1, size)))
  end
  net.sleep("1ms")
  t:is(select(2, socket:try("recv", { flags = "dontwait" })), "EAGAIN")
  t:is(host:counter("IcmpInErrors"), 28)
  peer:send(icmp{ type = "dest-unreach", code = "port", rest = 0 } / raw(bytes:sub(1, 28)))
  t:shows("RFC792-Formats-1", t:is(select(2, socket:try("recv")), "ECONNREFUSED"))
end)

tap.test("a quoted header with options is measured by its own length", function(t)
  local host, peer = station()
  local socket, packet = sender(host, peer, true)
  local quote = ip{ src = host.addr, dst = peer.addr, options = ("\1"):rep(40) } /
    udp{ sport = 7, dport = 5000 }
  local bytes = quote:bytes()
  peer:send(icmp{ type = "dest-unreach", code = "port", rest = 0 } / raw(bytes:sub(1, 67)))
  net.sleep("1ms")
  t:is(select(2, socket:try("recv", { flags = "dontwait" })), "EAGAIN")
  t:is(host:drops("ICMP_QUOTE"), 1)
  peer:send(icmp{ type = "dest-unreach", code = "port", rest = 0 } / raw(bytes:sub(1, 68)))
  t:shows("RFC1122-3.2.2-4", t:is(select(2, socket:try("recv")), "ECONNREFUSED"))
  t:is(packet.udp.sport, 7)
end)

tap.test("an error whose quote is of no datagram of this socket changes nothing", function(t)
  local host, peer = station()
  local socket = sender(host, peer, false)
  local function quote(f)
    return ip{ src = f.src or host.addr, dst = f.dst or peer.addr } /
      udp{ sport = f.sport or 7, dport = f.dport or 5000 } / "data"
  end
  for _, wrong in ipairs { { sport = 8 }, { dport = 5001 }, { dst = "192.0.2.10" },
    { src = "192.0.2.2" } } do
    peer:send(icmp{ type = "dest-unreach", code = "port", rest = 0 } / quote(wrong))
  end
  peer:expect_nothing { during = "1ms" }
  t:shows("RFC8085-5.2-1", t:is(select(2, socket:try("recv", { flags = "dontwait" })), "EAGAIN"))
  t:is(host:counter("IcmpInErrors"), 4)
  peer:send(icmp{ type = "dest-unreach", code = "port", rest = 0 } / quote{})
  t:is(select(2, socket:try("recv")), "ECONNREFUSED")
end)

tap.test("an error that quotes a protocol nobody registered is dropped (CVE-2026-23398)", function(t)
  local host, peer = station()
  for mode = 0, 3 do
    host:sysctl("net.ipv4.ip_no_pmtu_disc", mode)
    for _, proto in ipairs { 0, 99, 132, 255 } do
      peer:send(icmp{ type = "dest-unreach", code = "frag-needed", mtu = 600 } /
        ip{ src = host.addr, dst = peer.addr, proto = proto } / ("i"):rep(8))
    end
  end
  peer:expect_nothing { during = "1s" }
  t:is(host:counter("IcmpInDestUnreachs"), 16)
  t:is(host:counter("IcmpOutMsgs"), 0)
end)

tap.test("an error with a wrong ICMP checksum reaches no socket", function(t)
  local host, peer = station()
  local socket, packet = sender(host, peer, true)
  peer:send(icmp{ type = "dest-unreach", code = "port", rest = 0, checksum = 0xbad } / packet)
  net.sleep("1ms")
  t:shows("RFC792-Formats-2", t:is(select(2, socket:try("recv", { flags = "dontwait" })), "EAGAIN"))
  t:is(host:counter("IcmpInCsumErrors"), 1)
end)

tap.test("the unused word of an error is not looked at", function(t)
  local host, peer = station()
  local socket, packet = sender(host, peer, true)
  peer:send(icmp{ type = "dest-unreach", code = "port", rest = 0xdeadbeef } / packet)
  t:shows("RFC792-Formats-3", t:is(select(2, socket:try("recv")), "ECONNREFUSED"))
end)

tap.test("an error that comes by broadcast reaches no socket", function(t)
  local host, peer = station()
  local socket, packet = sender(host, peer, true)
  peer:send(ip{ dst = "192.0.2.255" } / icmp{ type = "dest-unreach", code = "port", rest = 0 } / packet)
  net.sleep("1ms")
  t:is(select(2, socket:try("recv", { flags = "dontwait" })), "EAGAIN")
  t:is(host:drops("ICMP_BROADCAST"), 1)
end)

tap.test("an error from any address counts: routers on the way report too", function(t)
  local host, peer = station { gateway = "192.0.2.9" }
  local socket, packet = sender(host, peer, true)
  peer:send(ip{ src = "203.0.113.77" } / icmp{ type = "dest-unreach", code = "host", rest = 0 } / packet)
  t:is(select(2, socket:try("recv")), "EHOSTUNREACH")
  local _, info = socket:recv { flags = "errqueue" }
  t:is(info.cmsg.IP_RECVERR.offender, "203.0.113.77")
end)

-- Path MTU ----------------------------------------------------------------------------------------

tap.test("fragmentation needed lowers the path MTU: later datagrams go in fragments of that size",
  function(t)
    local host, peer = station()
    local socket = host:socket "udp"
    socket:bind(7)
    socket:connect(peer.addr, 5000)
    socket:send(("m"):rep(1400))
    local frame = peer:expect(ip{ df = true } / udp{})
    peer:send(icmp{ type = "dest-unreach", code = "frag-needed", mtu = 1000 } /
      raw(frame:bytes():sub(15, 14 + 28)))
    t:is(select(2, socket:try("recv")), "EMSGSIZE")
    t:is(socket:option("IP_MTU"), 1000)
    socket:send(("m"):rep(1400))
    local first = peer:expect(ip{ df = false, mf = true, off = 0 } / udp{})
    t:shows("RFC8085-3.2-2", t:is(first.ip.len, 996))
    peer:expect(ip{ mf = false, off = 122 })
    -- 10 minutes later (mtu_expires) the whole MTU is tried again.
    net.sleep("600s")
    socket:send(("m"):rep(1400))
    t:shows("RFC1191-6.3-1", peer:expect(ip{ df = true, mf = false, len = 1428 } / udp{}))
  end)

tap.test("a path MTU below min_pmtu is taken as 552, and DF is no longer set (CVE-2004-1060)",
  function(t)
    local host, peer = station()
    local socket, packet = sender(host, peer, true)
    for _, mtu in ipairs { 0, 1, 67, 68, 551 } do
      peer:send(icmp{ type = "dest-unreach", code = "frag-needed", mtu = mtu } / packet)
      net.sleep("1ms")
      socket:try("recv", { flags = "dontwait" })
      t:is(socket:option("IP_MTU"), 552)
    end
    socket:send(("m"):rep(600))
    t:is(peer:expect(ip{ df = false, mf = true } / udp{}).ip.len, 548)
    peer:expect(ip{ mf = false })
    t:is(host:counter("IpFragOKs"), 1)
  end)

tap.test("a path MTU larger than the present one is not believed", function(t)
  local host, peer = station()
  local socket, packet = sender(host, peer, false)
  peer:send(icmp{ type = "dest-unreach", code = "frag-needed", mtu = 9000 } / packet)
  net.sleep("1ms")
  socket:try("recv", { flags = "dontwait" })
  t:is(socket:option("IP_MTU"), 1500)
  t:is(host:counter("IcmpInDestUnreachs"), 1)
end)

tap.test("fragmentation needed for a datagram that nobody sent leaves the path MTU alone", function(t)
  local host, peer = station()
  local socket = sender(host, peer, false)
  peer:send(icmp{ type = "dest-unreach", code = "frag-needed", mtu = 700 } /
    ip{ src = host.addr, dst = peer.addr } / udp{ sport = 9999, dport = 5000 })
  net.sleep("1ms")
  t:shows("RFC8085-5.2-1", t:is(socket:option("IP_MTU"), 1500))
end)

tap.test("a socket that never sets DF ignores fragmentation needed", function(t)
  local host, peer = station()
  local socket, packet = sender(host, peer, true)
  socket:option("IP_MTU_DISCOVER", net.C.IP_PMTUDISC_DONT)
  peer:send(icmp{ type = "dest-unreach", code = "frag-needed", mtu = 1000 } / packet)
  net.sleep("1ms")
  t:is(select(2, socket:try("recv", { flags = "dontwait" })), "EAGAIN")
  socket:send("next")
  t:is(peer:expect(udp{} / "next").ip.df, false)
end)
