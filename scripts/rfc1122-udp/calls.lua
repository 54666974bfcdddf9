-- SPDX-License-Identifier: MIT
-- The calls of a UDP socket: blocking and not, time-outs, poll and epoll, peeking, truncation, full
-- buffers, cork, sizes (RFC 768 "User Interface", RFC 1122 4.1.4; behaviour of the kernel).
local tap = require "tap"
local net = require "net"
local station = require("suite.station").udp
local ip, icmp, udp = net.ip, net.icmp, net.udp

local function got(socket, flags)
  return (socket:try("recv", { flags = "dontwait " .. (flags or "") }))
end

-- Blocking ----------------------------------------------------------------------------------------

tap.test("recv waits until a datagram is there, and returns at that instant", function(t)
  local _, peer, socket = station()
  net.spawn(function()
    net.sleep("5s")
    peer:send(udp{} / "late")
  end)
  t:is((socket:recv()), "late")
  t:is(t:now(), 5000001000)
end)

tap.test("a socket that does not block gives EAGAIN at once", function(t)
  local _, peer, socket = station()
  t:is(select(2, socket:try("recv", { flags = "dontwait" })), "EAGAIN")
  socket:nonblock()
  t:is(select(2, socket:try("recv")), "EAGAIN")
  t:is(t:now(), 0)
  peer:send(udp{} / "x")
  net.sleep("1ms")
  t:is((socket:recv()), "x")
end)

tap.test("SO_RCVTIMEO ends a wait with EAGAIN after exactly so long", function(t)
  local _, peer, socket = station()
  for _, ms in ipairs { 1, 250, 3000 } do
    local start = t:now()
    socket:option("SO_RCVTIMEO", ms * 1000000)
    t:is(select(2, socket:try("recv")), "EAGAIN")
    t:is(t:now() - start, ms * 1000000)
  end
  t:is(socket:option("SO_RCVTIMEO"), 3000000000)
  net.spawn(function() peer:send(udp{} / "in time") end)
  t:is((socket:recv()), "in time")
end)

tap.test("two readers of one socket get one datagram each, in the order they came", function(t)
  local _, peer, socket = station()
  local readers = {}
  for i = 1, 2 do readers[i] = net.spawn(function() return (socket:recv()) end) end
  net.sleep("1ms")
  peer:send(udp{} / "first")
  peer:send(udp{} / "second")
  t:is({ readers[1]:join(), readers[2]:join() }, { "first", "second" })
end)

tap.test("datagrams keep their bounds and their order", function(t)
  local _, peer, socket = station()
  for i = 1, 50 do peer:send(udp{} / ("d"):rep(i)) end
  net.sleep("1ms")
  for i = 1, 50 do t:is(#got(socket), i) end
  t:is(got(socket), nil)
end)

tap.test("a datagram longer than the buffer is cut and flagged MSG_TRUNC, its rest is gone", function(t)
  local _, peer, socket = station()
  peer:send(udp{} / "0123456789")
  peer:send(udp{} / "next")
  local data, info = socket:recv { size = 4 }
  t:is({ data, info.length, info.flags & net.C.MSG_TRUNC }, { "0123", 4, net.C.MSG_TRUNC })
  t:is((socket:recv()), "next")
  peer:send(udp{} / "0123456789")
  data, info = socket:recv { size = 4, flags = "trunc" }
  t:is({ data, info.length }, { "0123", 10 })
end)

tap.test("MSG_PEEK leaves the datagram where it is", function(t)
  local host, peer, socket = station()
  peer:send(udp{} / "peek")
  for _ = 1, 3 do t:is((socket:recv { flags = "peek" }), "peek") end
  t:is(host:counter("UdpInDatagrams"), 0)
  t:is((socket:recv()), "peek")
  t:is(host:counter("UdpInDatagrams"), 1)
  t:is(got(socket), nil)
end)

-- CVE-2016-10229: the checksum of a peeked datagram was computed a second time over moved data.
tap.test("a datagram that is peeked at and read has its checksum verified once, and right", function(t)
  local host, peer, socket = station()
  local data = ("p"):rep(1400)
  peer:send(udp{} / data)
  t:is((socket:recv { flags = "peek", size = 10 }), ("p"):rep(10))
  t:is((socket:recv { flags = "peek" }) == data, true)
  t:is((socket:recv()) == data, true)
  t:is(host:counter("UdpInCsumErrors"), 0)
end)

tap.test("FIONREAD tells the size of the first datagram", function(t)
  local _, peer, socket = station()
  t:is(socket:pending(), 0)
  peer:send(udp{} / "12345")
  peer:send(udp{} / "1")
  net.sleep("1ms")
  t:is(socket:pending(), 5)
  socket:recv()
  t:is(socket:pending(), 1)
end)

tap.test("shutdown for reading ends a wait with nothing", function(t)
  local _, peer, socket = station()
  socket:connect(peer.addr, 5000)
  local reader = net.spawn(function() return (socket:recv()) end)
  net.sleep("1s")
  socket:shutdown("rd")
  t:is(reader:join(), "")
end)

tap.test("shutdown for writing makes sends fail with EPIPE, and shutdown of an unconnected socket says ENOTCONN",
  function(t)
    local host, peer, socket = station()
    socket:connect(peer.addr, 5000)
    socket:shutdown("wr")
    t:is(select(2, socket:try("send", "x")), "EPIPE")
    peer:expect_nothing { during = "1s" }
    local other = host:socket "udp"
    t:is(select(2, other:try("shutdown", "rdwr")), "ENOTCONN")
  end)

-- poll, epoll -------------------------------------------------------------------------------------

tap.test("poll tells readable and writable, and waits no longer than it is told", function(t)
  local _, peer, socket = station()
  t:is(socket:poll("in out", 0), { out = true })
  t:is(socket:poll("in", "300ms"), {})
  t:is(t:now(), 300000000)
  net.spawn(function()
    net.sleep("100ms")
    peer:send(udp{} / "x")
  end)
  t:is(socket:poll("in", "10s"), { ["in"] = true })
  t:is(t:now(), 400001000)
end)

tap.test("poll shows an ICMP error as POLLERR until it is fetched", function(t)
  local host, peer, socket = station()
  socket:connect(peer.addr, 5000)
  socket:send("data")
  local packet = net.parse(peer:expect(udp{} / "data"):bytes():sub(15, 46), "ip")
  peer:send(icmp{ type = "dest-unreach", code = "port", rest = 0 } / packet)
  t:is(socket:poll("in", "1s").err, true)
  t:is(socket:option("SO_ERROR"), net.C.ECONNREFUSED)
  t:is(socket:option("SO_ERROR"), 0)
  t:is(socket:poll("in", 0), {})
end)

-- CVE-2015-5364, CVE-2015-5366: a flood of wrong checksums kept the reader in the kernel, or woke
-- an edge-triggered reader that then found nothing and waited for ever.
tap.test("poll does not call a socket readable for a datagram whose checksum is wrong", function(t)
  local host, peer, socket = station()
  host:ethtool { rx_csum = 0 }
  for _ = 1, 5 do peer:send(udp{ checksum = 0x1234 } / ("x"):rep(1000)) end
  t:is(socket:poll("in", "1s"), {})
  t:is(t:now(), 1000000000)
  t:is(host:counter("UdpInCsumErrors"), 5)
end)

tap.test("a reader that blocks gets the right datagram behind five wrong ones", function(t)
  local host, peer, socket = station()
  host:ethtool { rx_csum = 0 }
  for _ = 1, 5 do peer:send(udp{ checksum = 0x1234 } / ("x"):rep(1000)) end
  peer:send(udp{} / ("good"):rep(100))
  t:is((socket:recv()), ("good"):rep(100))
  t:is(host:counter("UdpInCsumErrors"), 5)
  t:is(got(socket), nil)
end)

tap.test("edge-triggered epoll wakes again for each datagram, also behind wrong ones", function(t)
  local host, peer, socket = station()
  host:ethtool { rx_csum = 0 }
  socket:nonblock()
  local epoll = host:epoll()
  epoll:add(socket, "in et")
  peer:send(udp{ checksum = 0x1234 } / ("x"):rep(1000))
  t:is(#epoll:wait("1s"), 1)
  t:is(select(2, socket:try("recv")), "EAGAIN")
  peer:send(udp{} / ("good"):rep(100))
  t:is(#epoll:wait("1s"), 1)
  t:is((socket:recv()), ("good"):rep(100))
  epoll:close()
end)

tap.test("level-triggered epoll reports as long as there is something, edge-triggered once", function(t)
  local host, peer, socket = station()
  local level, edge = host:epoll(), host:epoll()
  level:add(socket, "in")
  edge:add(socket, "in et")
  t:is(#level:wait(0), 0)
  peer:send(udp{} / "x")
  t:is(level:wait("1s")[1].events, { ["in"] = true })
  t:is(#level:wait(0), 1)
  t:is(#edge:wait(0), 1)
  t:is(#edge:wait(0), 0)
  socket:recv()
  t:is(#level:wait(0), 0)
  peer:send(udp{} / "y")
  t:is(#edge:wait("1s"), 1)
  level:close()
  edge:close()
end)

tap.test("one-shot epoll reports once, and again after it was armed again", function(t)
  local host, peer, socket = station()
  local epoll = host:epoll()
  epoll:add(socket, "in oneshot")
  peer:send(udp{} / "x")
  t:is(#epoll:wait("1s"), 1)
  peer:send(udp{} / "y")
  t:is(#epoll:wait("1s"), 0)
  epoll:mod(socket, "in oneshot")
  t:is(#epoll:wait(0), 1)
  epoll:del(socket)
  t:is(#epoll:wait(0), 0)
  epoll:close()
end)

-- Buffers -----------------------------------------------------------------------------------------

tap.test("a full receive buffer refuses datagrams silently and counts them, and never the first one",
  function(t)
    local host, peer, socket = station()
    socket:option("SO_RCVBUF", 1)
    t:is(socket:option("SO_RCVBUF"), 2304)
    for i = 1, 10 do peer:send(udp{} / (tostring(i % 10)):rep(1000)) end
    peer:expect_nothing { during = "1s" }
    local kept = 0
    while got(socket) do kept = kept + 1 end
    t:ok(kept >= 1 and kept < 10)
    t:is(host:counter("UdpRcvbufErrors"), 10 - kept)
    t:is(host:counter("UdpInErrors"), 10 - kept)
    t:is(host:drops("SOCKET_RCVBUFF"), 10 - kept)
    peer:send(udp{} / "room again")
    t:is((socket:recv()), "room again")
  end)

tap.test("SO_RXQ_OVFL tells how many datagrams were lost before this one", function(t)
  local host, peer, socket = station()
  socket:option("SO_RXQ_OVFL", 1)
  socket:option("SO_RCVBUF", 1)
  for _ = 1, 10 do peer:send(udp{} / ("x"):rep(1000)) end
  net.sleep("1ms")
  while got(socket) do end
  peer:send(udp{} / "after")
  local _, info = socket:recv()
  t:is(info.cmsg.SO_RXQ_OVFL, host:counter("UdpRcvbufErrors"))
end)

tap.test("SO_RCVBUF is doubled, capped by rmem_max and never below its minimum", function(t)
  local host, _, socket = station()
  t:is(socket:option("SO_RCVBUF"), 212992)
  for _, case in ipairs { { 4096, 8192 }, { 1152, 2304 }, { 0, 2304 }, { 10000000, 8388608 } } do
    socket:option("SO_RCVBUF", case[1])
    t:is(socket:option("SO_RCVBUF"), case[2])
  end
  host:sysctl("net.core.rmem_max", 5000)
  socket:option("SO_RCVBUF", 10000)
  t:is(socket:option("SO_RCVBUF"), 10000)
  socket:option("SO_RCVBUFFORCE", 20000)
  t:is(socket:option("SO_RCVBUF"), 40000)
end)

tap.test("a sender waits until its datagrams have left, or gets EAGAIN", function(t)
  local host, peer, socket = station { rate = 1000000 }
  socket:option("SO_SNDBUF", 1)
  socket:connect(peer.addr, 5000)
  socket:nonblock()
  local sent = 0
  while socket:try("send", ("x"):rep(1000)) do sent = sent + 1 end
  t:ok(sent >= 1 and sent < 100)
  t:is(select(2, socket:try("send", "x")), "EAGAIN")
  t:is(socket:poll("out", 0), {})
  t:is(socket:poll("out", "10s"), { out = true })
  socket:nonblock(false)
  for _ = 1, 5 do socket:send(("y"):rep(1000)) end
  t:is(#peer:collect { during = "10s" }, sent + 5)
end)

-- Sizes -------------------------------------------------------------------------------------------

tap.test("65507 octets are the most that a datagram carries; one more is EMSGSIZE", function(t)
  local host, peer, socket = station()
  t:is(select(2, socket:try("sendto", ("x"):rep(65508), peer.addr, 9)), "EMSGSIZE")
  t:is(select(2, socket:try("sendto", ("x"):rep(65536), peer.addr, 9)), "EMSGSIZE")
  peer:expect_nothing()
  t:is(socket:sendto(("x"):rep(65507), peer.addr, 9), 65507)
  t:is(#peer:collect { during = "10ms" }, 45)
  t:is(host:counter("UdpOutDatagrams"), 1)
end)

tap.test("with IP_PMTUDISC_DO a datagram above the MTU is EMSGSIZE, and the error queue tells the MTU",
  function(t)
    local host, peer, socket = station()
    socket:option("IP_MTU_DISCOVER", net.C.IP_PMTUDISC_DO)
    socket:option("IP_RECVERR", 1)
    socket:sendto(("x"):rep(1472), peer.addr, 9)
    peer:expect(ip{ df = true, len = 1500 })
    t:shows("RFC8085-3.2-1",
      t:is(select(2, socket:try("sendto", ("x"):rep(1473), peer.addr, 9)), "EMSGSIZE"))
    local _, info = socket:recv { flags = "errqueue" }
    local e = info.cmsg.IP_RECVERR
    t:is({ e.errno, e.origin, e.info }, { net.C.EMSGSIZE, net.C.SO_EE_ORIGIN_LOCAL, 1500 })
    t:is({ info.addr, info.port }, { peer.addr, 9 })
    peer:expect_nothing { during = "1s" }
  end)

tap.test("IP_PMTUDISC_DONT clears DF, IP_PMTUDISC_PROBE sets it and looks at the device's MTU only",
  function(t)
    local host, peer, socket = station()
    socket:option("IP_MTU_DISCOVER", net.C.IP_PMTUDISC_DONT)
    socket:sendto("x", peer.addr, 9)
    t:is(peer:expect(udp{ dport = 9 }).ip.df, false)
    socket:option("IP_MTU_DISCOVER", net.C.IP_PMTUDISC_PROBE)
    host:route { dst = "192.0.2.9/32", dev = host.nics[1], mtu = 1000 }
    socket:sendto(("x"):rep(1472), peer.addr, 9)
    t:is(peer:expect(udp{ dport = 9 }).ip.df, true)
    t:is(select(2, socket:try("sendto", ("x"):rep(1473), peer.addr, 9)), "EMSGSIZE")
  end)

-- Cork --------------------------------------------------------------------------------------------

tap.test("UDP_CORK gathers writes into one datagram that leaves when it is pulled", function(t)
  local host, peer, socket = station()
  socket:connect(peer.addr, 5000)
  socket:option("UDP_CORK", 1)
  for _, part in ipairs { "one ", "two ", "three" } do t:is(socket:send(part), #part) end
  peer:expect_nothing { during = "1s" }
  socket:option("UDP_CORK", 0)
  peer:expect(udp{} / "one two three")
  t:is(host:counter("UdpOutDatagrams"), 1)
end)

tap.test("MSG_MORE holds a datagram until a send without it", function(t)
  local _, peer, socket = station()
  socket:sendto("head", peer.addr, 5000, { flags = "more" })
  peer:expect_nothing { during = "1s" }
  socket:sendto("tail", peer.addr, 5000)
  t:ok(peer:expect(udp{} / "headtail"))
end)

tap.test("a corked datagram that would pass 65535 octets is EMSGSIZE and dropped as a whole", function(t)
  local _, peer, socket = station()
  socket:connect(peer.addr, 5000)
  socket:option("UDP_CORK", 1)
  socket:send(("x"):rep(65000))
  t:is(select(2, socket:try("send", ("x"):rep(508))), "EMSGSIZE")
  socket:option("UDP_CORK", 0)
  peer:expect_nothing { during = "1s" }
  socket:send("fresh")
  peer:expect(udp{} / "fresh")
end)

-- CVE-2017-1000112: a corked datagram over the MTU, appended to with other options.
tap.test("a corked datagram grows over the MTU and goes out in fragments that fit together", function(t)
  local _, peer, socket = station()
  socket:connect(peer.addr, 5000)
  socket:option("UDP_CORK", 1)
  local parts = {}
  for i = 1, 9 do
    parts[i] = (tostring(i)):rep(i * 101)
    socket:send(parts[i])
    if i == 5 then socket:option("SO_NO_CHECK", 0) end
  end
  socket:option("UDP_CORK", 0)
  local body = ""
  for _, frame in ipairs(peer:collect { during = "1ms" }) do
    t:is(frame.ip.off * 8, #body)
    body = body .. frame:bytes():sub(35, 14 + frame.ip.len)
  end
  local whole = net.parse((ip{ src = "192.0.2.1", dst = peer.addr, proto = 17 } / body):bytes(), "ip")
  t:is({ whole.payload, whole.udp.checksum_status }, { table.concat(parts), "good" })
end)

tap.test("closing a corked socket sends nothing", function(t)
  local _, peer, socket = station()
  socket:sendto("never", peer.addr, 5000, { flags = "more" })
  socket:close()
  t:ok(peer:expect_nothing { during = "1s" })
end)
